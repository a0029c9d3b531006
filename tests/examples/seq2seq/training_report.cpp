#include <nlohmann/json.hpp>

#include "../workplace.hpp"

using namespace wengert;
using nlohmann::json;

namespace {

/// What a report's page is made from.
json report_data(const std::filesystem::path& model) {
    const std::string page = content_of(model / "report.html"),
                      begin = "<script id=\"data\" type=\"application/json\">";
    const std::size_t at = page.find(begin);
    REQUIRE(at != page.npos);
    const std::size_t from = at + begin.size();
    return json::parse(page.substr(from, page.find("</script>", from) - from));
}

std::vector<json> records_of(const std::filesystem::path& file) {
    std::vector<json> records;
    for (const std::string& line : lines(content_of(file))) records.push_back(json::parse(line));
    return records;
}

/// Text of a chart, which stands alone in its element.
bool shows(const Workplace& here, const std::string& model, const std::string& text) {
    return content_of(here.path() / model / "report.html").find(">" + text + "</text>") != std::string::npos;
}

}  // namespace

TEST_CASE("a training writes a report of its curves and of a few translations") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const std::string train =
        std::string("train --data pairs.tsv --validation-data pairs.tsv --model 'a \"<b>\"' ") + small;
    REQUIRE(here.run(train + " --max-steps 9 --validate-every 3").code == 0);
    const std::filesystem::path model = here.path() / "a \"<b>\"";
    json report = report_data(model);
    CHECK(report["title"] == "Training of a \"<b>\"");
    CHECK(report["state"] == "done, after step 9");
    CHECK(report["running"] == false);
    CHECK(report["step"] == 9);
    REQUIRE(report["validations"].size() == 3);
    CHECK(report["validations"][1]["name"] == "epoch 2, step 6");
    const json& samples = report["validations"][2]["samples"];
    REQUIRE(samples.size() == 4);
    // Of the six, sorted by length, the first, third, fourth and last.
    const std::vector<std::string> sources{"Tom chases Jerry.", "Jerry sleeps.", "Tom ran yesterday.", "Run!"};
    for (std::size_t i = 0; i < sources.size(); ++i) CHECK(samples[i]["source"] == sources[i]);
    CHECK(samples[3]["reference"] == "跑！");
    CHECK(samples[3]["attention"]["source"] == json{"run", "!", "</s>"});
    CHECK(samples[3]["attention"]["weights"].size() == samples[3]["attention"]["target"].size());
    for (const json& row : samples[3]["attention"]["weights"]) {
        double sum = 0;
        for (const json& weight : row) sum += weight.get<double>();
        CHECK(sum == doctest::Approx(1).epsilon(0.002));
    }
    for (const char* const title : {"Loss", "Learning rate", "BLEU", "chrF", "validation"}) {
        CAPTURE(title);
        CHECK(shows(here, "a \"<b>\"", title));
    }
    CHECK(report["texts"][0]["text"].get<std::string>().find("--model 'a \"<b>\"' --hidden 24") != std::string::npos);
    CHECK(report["texts"][1]["text"].get<std::string>().find("hidden=24\n") != std::string::npos);

    // The means of the steps: with so few, each is one.
    const std::vector<json> steps = records_of(model / "steps.jsonl");
    REQUIRE(steps.size() == 9);
    CHECK(steps[8]["step"] == 9);
    const std::vector<json> log = records_of(model / "log.jsonl");
    CHECK(log[0]["loss"].get<double>() > steps[2]["loss"].get<double>());
    CHECK(log[0]["learning_rate"] == steps[2]["learning_rate"]);
    CHECK(log[0]["gradient_norm"] == steps[2]["gradient_norm"]);

    // It goes on where it stopped, and forgets what came behind the checkpoint.
    write_file(model / "samples.jsonl",
               content_of(model / "samples.jsonl") + "{\"epoch\":9,\"step\":99,\"samples\":[]}\n");
    REQUIRE(here.run("train --resume --model 'a \"<b>\"' --max-steps 12").code == 0);
    report = report_data(model);
    REQUIRE(report["validations"].size() == 4);
    CHECK(report["validations"][3]["step"] == 12);
    CHECK(records_of(model / "steps.jsonl").size() == 12);
    CHECK(lines(report["texts"][0]["text"]).size() == 2);

    // Anew: nothing of it stays.
    REQUIRE(here.run(train + " --force --max-steps 3").code == 0);
    report = report_data(model);
    CHECK(report["validations"].size() == 1);
    CHECK(lines(report["texts"][0]["text"]).size() == 1);
}

TEST_CASE("a report says how its training ended, and shows what there is") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    const std::string train = std::string("train --data pairs.tsv --model m ") + small;
    // Without validation, and without attention.
    REQUIRE(here.run(train + " --system cho --max-steps 2 --force").code == 0);
    CHECK(report_data(here.path() / "m")["validations"].empty());
    CHECK(shows(here, "m", "Loss"));
    CHECK(!shows(here, "m", "BLEU"));
    REQUIRE(here.run(train + " --system cho --max-steps 2 --force --validation-data pairs.tsv").code == 0);
    CHECK(!report_data(here.path() / "m")["validations"][0]["samples"][0].contains("attention"));

    REQUIRE(
        here.run(train + " --epochs 1000 --force --validation-data pairs.tsv --patience 1 --learning-rate 0.5").code ==
        0);
    CHECK(report_data(here.path() / "m")["state"] == "no better loss in 1 validations: training ends");

    const Outcome stopped = here.shell("'" WENGERT_SEQ2SEQ "' " + train +
                                       " --epochs 100000 --force 2>error &\n"
                                       "left=600\n"
                                       "until grep -q '\"running\":true' m/report.html || [ $left = 0 ]; do\n"
                                       "  sleep 0.05; left=$((left - 1))\n"
                                       "done\n"
                                       "kill -TERM $!; wait $!; echo $?\n");
    CHECK(lines(stopped.out) == std::vector<std::string>{"143"});
    CHECK(report_data(here.path() / "m")["state"].get<std::string>().find("stopped by signal 15 after step ") == 0);

    const Outcome failed =
        here.run(train + " --force --max-steps 50 --optimizer sgd --learning-rate 1e12 --weight-decay 1e12");
    CHECK(failed.code == 1);
    CHECK("seq2seq: " + report_data(here.path() / "m")["state"].get<std::string>() == lines(failed.error).back());
}

TEST_CASE("a log that is none is an error that names it") {
    const Workplace here;
    write_file(here.path() / "pairs.tsv", pairs);
    REQUIRE(here.run(std::string("train --data pairs.tsv --validation-data pairs.tsv --model m --max-steps 2 ") + small)
                .code == 0);
    const auto error = [&](const std::string& file, const std::string& text) {
        const std::string before = content_of(here.path() / "m" / file);
        write_file(here.path() / "m" / file, text);
        const Outcome outcome = here.run("train --resume --model m");
        write_file(here.path() / "m" / file, before);
        CHECK(outcome.code == 1);
        return lines(outcome.error).back();
    };
    CHECK(error("samples.jsonl", "{\"epoch\":1,\"step\":1}\n")
              .starts_with("seq2seq: m/samples.jsonl: is not of a training: "));
    CHECK(error("steps.jsonl", "{\"step\":1}\n") == "seq2seq: m/steps.jsonl: record 1 has no epoch or no step");
    CHECK(error("log.jsonl", "{\"epoch\":1,\"step\":1}\n{\"epoch\":\"\",\"step\":1}\n") ==
          "seq2seq: m/log.jsonl: record 2 has no epoch or no step");
    CHECK(here.run("train --resume --model m --max-steps 3").code == 0);
}
