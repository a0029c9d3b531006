#define OMPI_SKIP_MPICXX  // the C interface alone; that of C++ is gone from the standard
#define MPICH_SKIP_MPICXX
#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <wengert/nn/internal/mpi_launch.hpp>
#include <wengert/nn/mpi.hpp>

namespace wengert {
namespace {

void require(int code, std::string_view call) {
    if (code == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(code, text, &length);
    throw Error(fmt::format("mpi: {}: {}", call, std::string_view(text, static_cast<std::size_t>(length))));
}

int count_of(std::span<const std::byte> bytes) { return static_cast<int>(bytes.size()); }

class MpiRanks final : public Communicator {
  public:
    MpiRanks() {
        int is_begun = 0, is_ended = 0, provided = 0;
        MPI_Initialized(&is_begun);
        MPI_Finalized(&is_ended);
        if (is_ended != 0) throw ValueError("mpi_communicator: MPI has ended, and a program cannot begin it again");
        if (is_begun == 0)
            require(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
        owns_mpi_ = is_begun == 0;
        require(MPI_Comm_dup(MPI_COMM_WORLD, &ranks_), "MPI_Comm_dup");
        MPI_Comm_set_errhandler(ranks_, MPI_ERRORS_RETURN);
        MPI_Query_thread(&provided);
        allows_threads_ = provided >= MPI_THREAD_SERIALIZED;
        MPI_Comm_rank(ranks_, &rank_);
        MPI_Comm_size(ranks_, &size_);
    }
    ~MpiRanks() override {
        if (std::uncaught_exceptions() > 0) return;  // the others may wait for this rank, and MPI_Finalize for them
        MPI_Comm_free(&ranks_);
        if (owns_mpi_) MPI_Finalize();
    }

    int rank() const override { return rank_; }
    int size() const override { return size_; }
    bool allows_other_threads() const override { return allows_threads_; }

  protected:
    void exchange(std::span<const std::byte> from, std::span<std::byte> to) override {
        const int part = count_of(from) / size_;
        MPI_Request request{};
        require(MPI_Ialltoall(from.data(), part, MPI_BYTE, to.data(), part, MPI_BYTE, ranks_, &request),
                "MPI_Ialltoall");
        wait(request, "MPI_Ialltoall");
    }
    void gather(std::span<const std::byte> from, std::span<std::byte> to) override {
        MPI_Request request{};
        require(MPI_Iallgather(from.data(), count_of(from), MPI_BYTE, to.data(), count_of(from), MPI_BYTE, ranks_,
                               &request),
                "MPI_Iallgather");
        wait(request, "MPI_Iallgather");
    }
    void send_from(int root, std::span<std::byte> bytes) override {
        constexpr std::size_t most = std::size_t{1} << 30;  // MPI counts in int
        while (!bytes.empty()) {
            const std::span<std::byte> part = bytes.first(std::min(bytes.size(), most));
            MPI_Request request{};
            require(MPI_Ibcast(part.data(), count_of(part), MPI_BYTE, root, ranks_, &request), "MPI_Ibcast");
            wait(request, "MPI_Ibcast");
            bytes = bytes.subspan(part.size());
        }
    }

  private:
    /// MPI's own wait keeps a processor busy, however long another rank validates.
    static void wait(MPI_Request& request, std::string_view call) {
        using Clock = std::chrono::steady_clock;
        constexpr std::chrono::milliseconds patience{1};
        constexpr std::chrono::microseconds nap{100};
        const Clock::time_point begun = Clock::now();
        int is_done = 0;
        for (;;) {
            require(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE), call);
            if (is_done != 0) return;
            if (Clock::now() - begun < patience)
                std::this_thread::yield();
            else
                std::this_thread::sleep_for(nap);
        }
    }

    MPI_Comm ranks_{};
    int rank_ = 0, size_ = 1;
    bool owns_mpi_ = false, allows_threads_ = false;
};

}  // namespace

std::unique_ptr<Communicator> mpi_communicator() {
    if (is_one_of_several_ranks()) return std::make_unique<MpiRanks>();
    return std::make_unique<SingleProcess>();
}

bool is_mpi_built() { return true; }

}  // namespace wengert
