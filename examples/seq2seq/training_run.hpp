#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace wengert::program {

/// The records of a directory's log.jsonl; none if there is no such file. A last line that a killed training left
/// unfinished is none.
std::vector<nlohmann::ordered_json> read_log(const std::filesystem::path& directory);

/// A directory that one training writes into, and no other at the same time.
class RunDirectory {
  public:
    /// Makes the directory if need be and locks it. Throws FileError if another training has it, or if
    /// it is a checkpoint.
    explicit RunDirectory(std::filesystem::path path);
    ~RunDirectory();
    RunDirectory(const RunDirectory&) = delete;
    RunDirectory& operator=(const RunDirectory&) = delete;

    bool has_model() const;
    /// Removes the link to the best model, when another training begins.
    void forget_best() const;
    void write(const std::string& name, const std::string& text) const;
    /// Adds a line to log.jsonl.
    void log(const nlohmann::ordered_json& record) const;
    /// Forgets the lines of log.jsonl of steps beyond this one: a training that was killed did them after its last
    /// checkpoint, and one that goes on does them again.
    void cut_log(std::int64_t step) const;

  private:
    std::filesystem::path path_;
    int lock_ = -1;
};

/// Notices SIGINT and SIGTERM while it lives, so that a training can save before it ends. A second signal ends the
/// program at once.
class Signals {
  public:
    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// The number of the signal that came, or 0.
    int received() const;
};

}  // namespace wengert::program
