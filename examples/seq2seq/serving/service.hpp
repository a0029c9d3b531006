#pragma once

#include <string>
#include <string_view>
#include <vector>
#include <wengert/models/seq2seq/translator.hpp>

#include "http.hpp"
#include "limits.hpp"
#include "worker_pool.hpp"

namespace wengert::program {

struct ServedModel {
    std::string name;
    Translator translator;
    bool has_attention = wengert::has_attention(translator);
};

/// What a server of translators answers, without sockets:
///
///     GET /           a page to translate and to look at attention, with /page.css and /page.js
///     GET /health     {"status": "ok"}
///     GET /models     the models, the options of the search and the limits, with what is usual
///     POST /translate {"text": ["..."], ..} -> {"model": "..", "translations": [{"text": "..", ..}]}
///
/// Whatever else is asked, and however, is answered by 4xx and {"error": "a sentence"}; what goes wrong here is 500,
/// and standard error says what. Threads may call answer() at once; so many as there are workers translate, over one
/// copy of the weights.
class Service {
  public:
    /// `usual` has the options of the search that a request does not give. Throws ValueError without a model, if two
    /// have one name, and if what is usual is more than the limits allow.
    Service(std::vector<ServedModel> models, const SearchOptions& usual, const ServeLimits& limits, int threads);

    HttpResponse answer(const HttpRequest& request);
    /// Translations that run end as they do, those that wait are refused, and so is what comes.
    void stop() { workers_.stop(); }

  private:
    struct Route {
        std::string_view method, path;
        HttpResponse (Service::*answer)(const HttpRequest&);
    };
    static const std::vector<Route> routes;

    HttpResponse routed(const HttpRequest& request);
    HttpResponse show_page(const HttpRequest& request);
    HttpResponse show_style(const HttpRequest& request);
    HttpResponse show_script(const HttpRequest& request);
    HttpResponse show_health(const HttpRequest& request);
    HttpResponse show_models(const HttpRequest& request);
    HttpResponse translate(const HttpRequest& request);
    const ServedModel& model_of(const std::string& name) const;

    const std::vector<ServedModel> models_;
    const SearchOptions usual_;
    const ServeLimits limits_;
    WorkerPool workers_;
};

}  // namespace wengert::program
