//! A streaming standby answers like its primary, on columns of every type.

use pg_test::{Answers, Cluster, KINDS, Kind, Search, index_problems};
use postgres::Client;

fn answers(client: &mut Client, kind: &Kind, operator: &str) -> Answers {
    let nearest = Search { operator, condition: "true", limit: 20 };
    kind.search(client, &nearest, true)
}

#[test]
fn a_standby_answers_like_its_primary() {
    let primary = Cluster::new("hnsw-types-primary", &[]).unwrap();
    let mut client = primary.connect().unwrap();
    client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    let standby = primary.standby().unwrap();
    for kind in KINDS {
        for (class, operator) in kind.classes {
            let compare = |client: &mut Client| {
                standby.catch_up(&primary).unwrap();
                let mut replica = standby.connect().unwrap();
                let expected = answers(client, &kind, operator);
                assert!(expected.iter().all(|found| found.len() == 20));
                assert_eq!(answers(&mut replica, &kind, operator), expected, "{class}");
                assert_eq!(index_problems(&mut replica, "i").unwrap(), [""; 0], "{class}");
            };
            kind.create_table(&mut client, "");
            kind.insert(&mut client, 0..600);
            kind.create_index(&mut client, class, "");
            compare(&mut client);
            kind.insert(&mut client, 600..900);
            compare(&mut client);
            client.batch_execute("DELETE FROM t WHERE id % 3 = 0").unwrap();
            client.batch_execute("VACUUM t").unwrap();
            compare(&mut client);
            kind.insert(&mut client, 900..1_200); // into the places that became free
            compare(&mut client);
        }
    }
    assert!(!primary.has_crashed() && !standby.has_crashed(), "{}", standby.log());
}
