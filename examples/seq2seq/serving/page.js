const at = id => document.getElementById(id);
const fields = new Map();  // of the search's options, by name
let models = [];

/// A field for each option of the search as the server describes it. Beam and number have theirs already.
function addOption(option) {
  const field = at(option.name) || make("input", "");
  fields.set(option.name, field);
  if (typeof option.value === "boolean") {
    field.type = "checkbox";
    field.checked = option.value;
  } else {
    field.type = "number";
    field.min = option.least;
    field.max = option.greatest;
    field.step = Number.isInteger(option.value) && Number.isInteger(option.least) && option.greatest > 10 ? 1 : "any";
    field.value = option.value;
  }
  field.title = option.meaning;
  if (field.isConnected) return;
  field.id = option.name;
  const label = make("label", option.name.replaceAll("_", " "));
  label.htmlFor = option.name;
  at("options").append(label, field, make("span", option.meaning, "label"));
}

/// What differs from what is usual: the server refuses what would change nothing.
function given(options) {
  const wanted = {};
  for (const option of options) {
    const field = fields.get(option.name);
    const value = field.type === "checkbox" ? field.checked : Number(field.value);
    if (value !== option.value && field.value !== "") wanted[option.name] = value;
  }
  return wanted;
}

/// Asks the server; throws its sentence if it refuses.
async function ask(path, body) {
  const request = body && {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)};
  let response;
  try {
    response = await fetch(path, request);
  } catch {
    throw Error("The server does not answer.");
  }
  const answer = await response.json();
  if (!response.ok) throw Error(answer.error);
  return answer;
}

/// The translations of one sentence, the best first; which of them is chosen shows what its words looked at.
function articleOf(text, translation) {
  const article = make("article", "");
  const title = make("h2", text);
  title.dir = "auto";
  article.append(title);
  const all = [translation, ...(translation.alternatives || [])];
  const table = make("table", "", "found");
  const head = table.insertRow();
  head.append(make("th", "translation"), make("th", "score", "number"), make("th", "log probability", "number"));
  const place = make("div", "");
  const rows = all.map(one => {
    const row = table.insertRow();
    const button = make("button", one.text || "(nothing)");
    button.type = "button";
    button.dir = "auto";
    row.insertCell().append(button, make("span", one.complete ? "" : " cut off", "label"));
    for (const number of [one.score, one.log_probability]) {
      const cell = row.insertCell();
      cell.textContent = number === null ? "" : number.toFixed(3);
      cell.className = "number";
    }
    const show = () => {
      rows.forEach(other => other.classList.toggle("shown", other === row));
      place.replaceChildren();
      if (!one.attention || one.attention.target.length === 0) return;
      const section = make("section", "");
      section.append(make("h2", "What each word looked at"), ...linesOf(one.attention));
      const details = make("details", "");
      details.append(make("summary", "all weights"), tableOf(one.attention));
      section.append(details);
      place.append(section);
    };
    button.addEventListener("click", show);
    return row;
  });
  article.append(table, place);
  rows[0].querySelector("button").click();
  return article;
}

async function translate(options) {
  const texts = at("text").value.split("\n").filter(line => line.trim() !== "");
  at("error").hidden = true;
  if (texts.length === 0) return;
  at("translate").disabled = true;
  at("status").textContent = "Translating …";
  const begin = performance.now();
  try {
    const model = models.find(one => one.name === at("model").value);
    const answer = await ask("translate",
      {text: texts, model: model.name, attention: model.attention, ...given(options)});
    at("translations").replaceChildren(...answer.translations.map((one, i) => articleOf(texts[i], one)));
    const seconds = ((performance.now() - begin) / 1000).toFixed(2);
    at("status").textContent = `${texts.length} ${texts.length === 1 ? "sentence" : "sentences"}, ${seconds} s`;
  } catch (error) {
    at("status").textContent = "";
    at("error").textContent = error.message;
    at("error").hidden = false;
  }
  at("translate").disabled = false;
}

/// What is known of the model that is chosen.
function describeModel() {
  const model = models.find(one => one.name === at("model").value);
  at("about").textContent = `${model.system}, ${model.parameters.toLocaleString("en")} parameters, ` +
    `${model.steps.toLocaleString("en")} steps of training${model.attention ? "" : ", without attention"}`;
}

async function begin() {
  try {
    const known = await ask("models");
    models = known.models;
    at("model").append(...models.map(model => {
      const option = make("option", model.name);
      option.value = model.name;  // as it is, with all its spaces
      return option;
    }));
    known.options.forEach(addOption);
    at("form").addEventListener("submit", event => {
      event.preventDefault();
      translate(known.options);
    });
    at("text").addEventListener("keydown", event => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("form").requestSubmit();
    });
    at("model").addEventListener("change", describeModel);
    describeModel();
  } catch (error) {
    at("error").textContent = error.message;
    at("error").hidden = false;
  }
}
begin();
