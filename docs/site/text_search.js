// The page of the text search: finds what all pages of the site say, in the index that text.py has made. No network.
'use strict';

const field = document.getElementById('text-query');
const found = document.getElementById('text-found');
const mostShown = 60;

function escapedForPattern(word) {
    return word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The passage as nodes, with the words of the query marked. */
function marked(text, words) {
    const pattern = new RegExp(`(${words.map(escapedForPattern).join('|')})`, 'gi');
    return text.split(pattern).map((part, place) => {
        if (place % 2 === 0) return document.createTextNode(part);
        const mark = document.createElement('mark');
        mark.textContent = part;
        return mark;
    });
}

/** Passages that have all words; those with the whole query first, then in the order of the site. */
function search(query) {
    const words = query.toLowerCase().split(/\s+/).filter(word => word !== '');
    if (words.length === 0) return {words, passages: []};
    const phrase = words.join(' ');
    const passages = textIndex.filter(([title, , text]) => {
        const all = `${title} ${text}`.toLowerCase();
        return words.every(word => all.includes(word));
    });
    const hasPhrase = ([, , text]) => text.toLowerCase().includes(phrase);
    return {words, passages: [...passages.filter(hasPhrase), ...passages.filter(passage => !hasPhrase(passage))]};
}

function show() {
    const query = field.value.trim();
    const {words, passages} = search(query);
    found.replaceChildren();
    const count = document.createElement('p');
    if (words.length > 0)
        count.textContent = passages.length === 0 ? `Nothing has “${query}”.`
            : passages.length > mostShown ? `The first ${mostShown} of ${passages.length} passages:`
            : `${passages.length} passages:`;
    found.append(count);
    for (const [title, url, text] of passages.slice(0, mostShown)) {
        const link = document.createElement('a');
        link.href = url;
        link.textContent = title;
        const passage = document.createElement('p');
        passage.append(link, document.createElement('br'), ...marked(text, words));
        found.append(passage);
    }
    history.replaceState(null, '', query === '' ? location.pathname : `#${encodeURIComponent(query)}`);
}

field.addEventListener('input', show);
try {
    field.value = decodeURIComponent(location.hash.slice(1));
} catch {
    field.value = location.hash.slice(1);  // written by hand
}
field.focus();
show();
