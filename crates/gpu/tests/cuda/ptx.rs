//! The compiled kernels belong to their sources.

use std::fs;
use std::path::Path;

#[test]
fn ptx_is_of_these_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
    let mut sources: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "ptx"))
        .collect();
    sources.sort();
    let mut hasher = crc32fast::Hasher::new();
    sources.iter().for_each(|path| hasher.update(&fs::read(path).unwrap()));
    let ptx = fs::read_to_string(folder.join("gpu.ptx")).unwrap();
    let (first, rest) = ptx.split_once('\n').unwrap();
    let (of_sources, of_rest) = (hasher.finalize(), crc32fast::hash(rest.as_bytes()));
    let expected = format!("CRC-32 of the sources: {of_sources:08x}, of the rest: {of_rest:08x}");
    assert!(first.ends_with(&expected), "run scripts/compile-kernels.sh: {first}, not {expected}");
    // PTX 8.2 for GPUs from Ampere on: newer versions need newer drivers.
    assert!(ptx.contains(".version 8.2\n.target sm_80\n"));
}
