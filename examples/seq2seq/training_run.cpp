#include "training_run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <iterator>
#include <span>
#include <system_error>
#include <wengert/autograd/tensor/atomic_file.hpp>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/lines.hpp>

namespace wengert::program {
namespace {

std::string reason() { return std::generic_category().message(errno); }

std::atomic<int> signal_received = 0;

extern "C" void note_signal(int number) {
    signal_received = number;
    std::signal(number, SIG_DFL);
}

}  // namespace

std::vector<nlohmann::ordered_json> read_log(const std::filesystem::path& directory, Log log) {
    std::vector<nlohmann::ordered_json> records;
    const std::filesystem::path file = directory / name_of(log_names, log);
    if (std::error_code error; !std::filesystem::exists(file, error)) return records;
    LineReader lines(file);
    std::string broken;  // where it is: no fault if it is the last one
    for (std::string line; lines.next(line);) {
        if (!broken.empty()) throw FileError(broken + ": is not a record");
        auto record = nlohmann::ordered_json::parse(line, nullptr, false);
        if (record.is_object())
            records.push_back(std::move(record));
        else
            broken = lines.where();
    }
    return records;
}

RunDirectory::RunDirectory(std::filesystem::path path) : path_(std::move(path)) {
    if (std::error_code error; std::filesystem::exists(path_ / "config.json", error))
        throw FileError(fmt::format("{}: is a checkpoint; --model names the directory that it is in", path_.string()));
    std::error_code failure;
    is_new_ = std::filesystem::create_directories(path_, failure);
    if (failure)
        throw FileError(fmt::format("{}: the directory cannot be made: {}", path_.string(), failure.message()));
    const std::string file = (path_ / "lock").string();
    lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock_ < 0) throw FileError(fmt::format("{}: cannot be written: {}", file, reason()));
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        ::close(lock_);
        throw FileError(fmt::format("{}: another training writes into this directory", path_.string()));
    }
}

RunDirectory::~RunDirectory() {
    // Where something was written the lock stays beside it, and a directory that is not empty stays, too.
    std::error_code error;
    const bool has_options = std::filesystem::exists(path_ / "train.toml", error);
    if (is_new_ && !has_options && std::filesystem::remove(path_ / "lock", error))
        std::filesystem::remove(path_, error);
    ::close(lock_);
}

bool RunDirectory::has_model() const {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
        const std::string name = entry.path().filename().string();
        if (name == "latest" || name == "best" || (name.starts_with("checkpoint-") && !name.ends_with(".partial")))
            return true;
    }
    return false;
}

void RunDirectory::forget_model() const {
    for (const char* const link : {"latest", "best"}) {
        std::error_code error;
        std::filesystem::remove_all(path_ / link, error);  // in a copy of a directory it is a directory
        if (error) throw FileError(fmt::format("{}: cannot be removed: {}", (path_ / link).string(), error.message()));
    }
    sync_to_disk(path_);
}

std::string RunDirectory::read(const std::string& name) const {
    std::ifstream stream(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

void RunDirectory::write(const std::string& name, const std::string& text) const {
    AtomicFile file(path_ / name);
    file.write(std::as_bytes(std::span(text)));
    file.commit();
}

void RunDirectory::log(Log log, const nlohmann::ordered_json& record) const {
    const std::filesystem::path file = path_ / name_of(log_names, log);
    errno = 0;
    std::ofstream stream(file, std::ios::app);
    stream << record.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    stream.close();
    if (!stream) throw FileError(fmt::format("{}: cannot be written: {}", file.string(), reason()));
    // Before the checkpoint of this step, from which a training that goes on counts the lines.
    if (log == Log::validations) sync_to_disk(file);
}

void RunDirectory::cut_logs(std::int64_t step) const {
    for (const Choice<Log>& log : log_names) {
        std::string kept;
        if (step > 0)
            for (const nlohmann::ordered_json& record : read_log(path_, log.value))
                if (record.value("step", std::int64_t{0}) <= step) kept += record.dump() + '\n';
        write(std::string(log.name), kept);
    }
}

Signals::Signals() {
    signal_received = 0;
    // Who starts the program in the background may have it ignore SIGINT, and nohup has it ignore SIGHUP.
    for (std::size_t i = 0; i < handled.size(); ++i)
        if (before_[i] = std::signal(handled[i], note_signal); before_[i] == SIG_IGN) std::signal(handled[i], SIG_IGN);
}

Signals::~Signals() {
    for (std::size_t i = 0; i < handled.size(); ++i) std::signal(handled[i], before_[i]);
}

int Signals::received() const { return signal_received; }

}  // namespace wengert::program
