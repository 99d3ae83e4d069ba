// hnswlib in process, one thread, on a data set that `benches dump` wrote: build time, and for each ef
// the recall and the time of a query.
//
//   g++ -O3 -march=native -std=c++17 -I HNSWLIB benches/peers/hnswlib.cpp -o hnswlib
//   ./hnswlib DIR l2|cosine [K [ROUNDS]]
//
// HNSWLIB is a checkout of https://github.com/nmslib/hnswlib, or /usr/include with Debian's
// package libhnswlib-dev. Options are those of the extensions: m 16, ef_construction 64.

#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

using Clock = std::chrono::steady_clock;

static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// u32 rows, u32 columns, then the values row by row.
struct Matrix {
    uint32_t rows, cols;
    std::vector<float> data;

    explicit Matrix(const std::string &path) {
        std::ifstream file(path, std::ios::binary);
        file.read(reinterpret_cast<char *>(&rows), sizeof rows);
        file.read(reinterpret_cast<char *>(&cols), sizeof cols);
        if (file) data.resize(size_t(rows) * cols);
        file.read(reinterpret_cast<char *>(data.data()), data.size() * sizeof(float));
        if (!file) {
            std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
            std::exit(1);
        }
    }

    const float *row(size_t i) const { return &data[i * cols]; }

    void normalize() {
        for (size_t i = 0; i < rows; i++) {
            double square = 0;
            for (size_t j = 0; j < cols; j++) square += double(row(i)[j]) * row(i)[j];
            for (size_t j = 0; j < cols; j++) data[i * cols + j] /= std::sqrt(square);
        }
    }
};

static double distance(const float *a, const float *b, size_t dims, bool cosine) {
    double sum = 0;
    for (size_t i = 0; i < dims; i++) {
        double difference = double(a[i]) - b[i];
        sum += difference * difference;
    }
    return cosine ? sum / 2 : sum;  // of unit vectors, 1 - cos is half of squared L2
}

struct Bench {
    Matrix base, queries, kth;
    bool cosine;
    size_t k, rounds;
    hnswlib::HierarchicalNSW<float> *index = nullptr;

    // Recall counted by distance: a row is found if it is as near as the k-th true neighbor.
    double recall(const std::vector<std::vector<hnswlib::labeltype>> &answers) const {
        size_t found = 0;
        for (size_t i = 0; i < answers.size(); i++) {
            // Normalised values are rounded to float, which cosine distances feel.
            double bound = kth.row(i)[0] * (1 + 1e-6) + (cosine ? 1e-7 : 1e-12);
            for (auto label : answers[i])
                found += distance(base.row(label), queries.row(i), base.cols, cosine) <= bound;
        }
        return double(found) / (answers.size() * k);
    }

    // Recall, and microseconds a query in the best round.
    std::pair<double, double> ask(size_t ef) {
        index->setEf(ef);
        std::vector<std::vector<hnswlib::labeltype>> answers(queries.rows);
        double best = INFINITY;
        for (size_t round = 0; round < rounds; round++) {
            auto start = Clock::now();
            for (size_t i = 0; i < queries.rows; i++) {
                auto heap = index->searchKnn(queries.row(i), k);
                answers[i].clear();
                for (; !heap.empty(); heap.pop()) answers[i].push_back(heap.top().second);
            }
            best = std::min(best, seconds_since(start) / queries.rows * 1e6);
        }
        double share = recall(answers);
        std::printf("%6zu %8.4f %10.1f\n", ef, share, best);
        return {share, best};
    }

    void run() {
        if (cosine) base.normalize(), queries.normalize();
        std::unique_ptr<hnswlib::SpaceInterface<float>> space;
        if (cosine) space = std::make_unique<hnswlib::InnerProductSpace>(base.cols);
        else space = std::make_unique<hnswlib::L2Space>(base.cols);
        hnswlib::HierarchicalNSW<float> graph(space.get(), base.rows, 16, 64);
        index = &graph;
        auto start = Clock::now();
        for (size_t i = 0; i < base.rows; i++) graph.addPoint(base.row(i), i);
        std::printf("%u x %u, build %.1f s on one thread\n\n", base.rows, base.cols, seconds_since(start));

        std::printf("    ef   recall   us/query\n");
        std::map<size_t, double> recalls;
        for (size_t ef : {10, 20, 40, 80, 160, 320, 640}) recalls[ef] = ask(ef).first;
        for (double target : {0.95, 0.99}) {
            std::printf("\nleast ef for recall %.2f\n", target);
            size_t low = k - 1, high = 0;
            for (auto [ef, recall] : recalls) {
                if (recall >= target && !high) high = ef;
                if (recall < target) low = std::max(low, ef);
            }
            if (!high) continue;
            std::pair<double, double> reached;
            for (size_t middle; high - low > 1 + low / 100;) {
                middle = (low + high) / 2;
                (ask(middle).first >= target ? high : low) = middle;
            }
            reached = ask(high);
            std::printf("recall %.2f: ef %zu, %.1f us/query\n", target, high, reached.second);
        }
    }
};

int main(int argc, char **argv) {
    if (argc < 3) {
        std::fprintf(stderr, "Usage: hnswlib DIR l2|cosine [K [ROUNDS]]\n");
        return 1;
    }
    std::string dir = argv[1];
    size_t k = argc > 3 ? std::atoi(argv[3]) : 10, rounds = argc > 4 ? std::atoi(argv[4]) : 5;
    Bench bench{Matrix(dir + "/base.fbin"), Matrix(dir + "/query.fbin"), Matrix(dir + "/kth.fbin"),
                std::string(argv[2]) == "cosine", k, rounds};
    bench.run();
}
