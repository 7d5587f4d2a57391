// The queue on the device: what was answered and not yet acknowledged, so that reload, crash and a dead network lose nothing.
// Kept: ids, epoch, counters, choices; texts only sealed with the key that the page was given; never a word of a question.
(function (exam) {
  'use strict';

  var PREFIX = 'exam:';
  var TAB = 'exam-tab';
  var RELEASED = 'exam-tab-released';
  var MAX_BYTES = 60000;
  exam.MAX_CHANGES = 200;

  function read(storage, key) {
    try { return storage().getItem(key); } catch (error) { return null; }
  }
  function write(storage, key, value) {
    try { storage().setItem(key, value); return storage().getItem(key) === value; } catch (error) { return false; }
  }
  function remove(storage, key) {
    try { storage().removeItem(key); } catch (error) { return; }
  }
  function device() { return window.localStorage; }
  function tab() { return window.sessionStorage; }

  // A tab's name survives a reload; a copied tab or one restored after a crash was not released and gets a new one.
  function tabName() {
    var name = read(tab, TAB);
    if (!name || read(tab, RELEASED) !== '1') { name = String(Math.random()).slice(2); }
    write(tab, TAB, name);
    remove(tab, RELEASED);
    window.addEventListener('pagehide', function () { write(tab, RELEASED, '1'); });
    return name;
  }

  function parsed(text) {
    try {
      var state = JSON.parse(text);
      return state && state.v === 1 && state.pending ? state : null;
    } catch (error) { return null; }
  }

  // Every exam state on this device, of one exam and one person where they are named.
  exam.storedStates = function (examId, personId) {
    var found = [];
    try {
      for (var i = 0; i < window.localStorage.length; i += 1) {
        var key = window.localStorage.key(i);
        var state = key.indexOf(PREFIX) === 0 ? parsed(window.localStorage.getItem(key)) : null;
        if (state && (!examId || state.exam === examId) && (!personId || state.person === personId)) { found.push(state); }
      }
    } catch (error) { return found; }
    return found;
  };

  exam.forgetState = function (attempt) { remove(device, PREFIX + attempt); };
  exam.rememberTakenOver = function (attempt) { write(tab, 'exam-taken:' + attempt, '1'); };
  exam.wasTakenOver = function (attempt) { return read(tab, 'exam-taken:' + attempt) === '1'; };
  exam.forgetTakenOver = function (attempt) { remove(tab, 'exam-taken:' + attempt); };
  exam.rememberItem = function (attempt, item) { write(tab, 'exam-at:' + attempt, String(item)); };
  exam.lastItem = function (attempt) { return Number(read(tab, 'exam-at:' + attempt)) || 0; };
  exam.readSetting = function (name) { return read(device, 'setting:' + name); };
  exam.writeSetting = function (name, value) { write(device, 'setting:' + name, value); };

  function bytes(base64) {
    var text = window.atob(base64);
    var array = new Uint8Array(text.length);
    for (var i = 0; i < text.length; i += 1) { array[i] = text.charCodeAt(i); }
    return array;
  }
  function base64(array) {
    var text = '';
    for (var i = 0; i < array.length; i += 1) { text += String.fromCharCode(array[i]); }
    return window.btoa(text);
  }

  // Seals the candidate's own words; gives null where the browser has no WebCrypto (plain http): then texts stay in memory only.
  exam.createBox = function (keyText) {
    var subtle = window.crypto && window.crypto.subtle;
    if (!subtle || !keyText || !window.TextEncoder) { return null; }
    var key = subtle.importKey('raw', bytes(keyText), { name: 'AES-GCM' }, false, ['encrypt', 'decrypt']);
    function way(iv, boundTo) {
      return { name: 'AES-GCM', iv: iv, additionalData: new window.TextEncoder().encode(boundTo) };
    }
    return {
      seal: function (response, boundTo) {
        var iv = window.crypto.getRandomValues(new Uint8Array(12));
        var plain = new window.TextEncoder().encode(JSON.stringify(response));
        return key.then(function (k) { return subtle.encrypt(way(iv, boundTo), k, plain); })
          .then(function (sealed) { return base64(iv) + '.' + base64(new Uint8Array(sealed)); });
      },
      open: function (text, boundTo) {
        var parts = text.split('.');
        return key.then(function (k) { return subtle.decrypt(way(bytes(parts[0]), boundTo), k, bytes(parts[1])); })
          .then(function (plain) { return JSON.parse(new window.TextDecoder().decode(plain)); });
      }
    };
  };

  // What an earlier page of this browser left of an attempt, texts opened.
  exam.openState = function (attempt, box) {
    var found = parsed(read(device, PREFIX + attempt));
    if (!found) { return Promise.resolve(null); }
    var opening = [];
    [found.pending, found.asked || {}].forEach(function (entries) {
      Object.keys(entries).forEach(function (item) { opening.push(openEntry(entries, item)); });
    });
    return Promise.all(opening).then(function () { return found; });

    function openEntry(entries, item) {
      var entry = entries[item];
      if (!entry.sealed) { return undefined; }
      entry.isText = true;
      if (!box) { delete entries[item]; return undefined; }
      return box.open(entry.sealed, attempt + ':' + item).then(function (response) { entry.response = response; },
        function () { delete entries[item]; });
    }
  };

  // As the device keeps it: a text only sealed.
  function packed(state) {
    var storedState = {};
    Object.keys(state).forEach(function (name) { storedState[name] = state[name]; });
    storedState.pending = packedEntries(state.pending);
    storedState.asked = packedEntries(state.asked || {});
    return JSON.stringify(storedState);
  }
  function packedEntries(entries) {
    var storedState = {};
    Object.keys(entries).forEach(function (item) {
      var entry = entries[item];
      if (entry.isText && !entry.sealed) { return; }
      storedState[item] = { seq: entry.seq };
      if (entry.isText) { storedState[item].sealed = entry.sealed; } else { storedState[item].response = entry.response; }
      if (entry.epoch) { storedState[item].epoch = entry.epoch; }
    });
    return storedState;
  }

  // What one save may hold of the waiting changes, oldest first; `aside` names the counters that were answered for in another way.
  exam.batchOf = function (pending, maxChanges, aside) {
    var taken = [];
    var size = 0;
    Object.keys(pending).filter(function (item) { return !aside || aside[item] !== pending[item].seq; })
      .sort(function (a, b) { return pending[a].seq - pending[b].seq; })
      .some(function (item) {
        var entry = pending[item];
        size += JSON.stringify(entry.response).length * 3 + 60;
        if (taken.length && (taken.length >= maxChanges || size > MAX_BYTES)) { return true; }
        taken.push({ item: Number(item), seq: entry.seq, response: entry.response });
        return false;
      });
    return taken;
  };

  exam.createQueue = function (attempt, examId, personId, box) {
    var key = PREFIX + attempt;
    var owner = tabName();
    var state = null;
    var answers = {};
    var known = {};
    var added = [];
    var worksHere = true;
    var onBroken = function () { return undefined; };

    function persist() {
      if (!state || !worksHere) { return; }
      if (write(device, key, packed(state))) { return; }
      // A stale counter is worse than none: without a state the next load takes a new epoch.
      worksHere = false;
      remove(device, key);
      onBroken();
    }

    function sealEntry(item, entry) {
      if (!box) { return; }
      box.seal(entry.response, attempt + ':' + item).then(function (sealed) {
        entry.sealed = sealed;
        if (state && (state.pending[item] === entry || state.asked[item] === entry)) { persist(); }
      }, function () { return undefined; });
    }

    function put(item, response, isText) {
      state.seq += 1;
      var entry = { seq: state.seq, response: response, isText: isText };
      state.pending[item] = entry;
      answers[item] = response;
      if (isText) { sealEntry(item, entry); }
    }

    // Begins from the server's word; of what this device had not sent, `carry` finds out what becomes of each answer.
    function begin(served, epoch, left) {
      state = {
        v: 1, attempt: attempt, exam: examId, person: personId, owner: owner, epoch: epoch, seq: 0, pending: {}, asked: {},
        unsure: served.unsure.slice(), isUnsureDue: false, events: [], n: 0, left: left ? left.left || 0 : 0, lost: left ? left.lost || 0 : 0
      };
      answers = {};
      known = {};
      added = [];
      served.answers.forEach(function (answer) {
        known[answer.item] = answer;
        answers[answer.item] = answer.response;
        if (answer.epoch === epoch) { state.seq = Math.max(state.seq, answer.seq); }
      });
      if (left) { carry(left, epoch); }
      persist();
    }

    function carry(left, epoch) {
      var isSame = left.epoch === epoch;
      if (isSame) { state.seq = Math.max(state.seq, left.seq); state.n = left.n || 0; }
      if (left.isUnsureDue) { state.unsure = isSame ? left.unsure : joined(state.unsure, left.unsure); state.isUnsureDue = true; }
      state.events = left.events || [];
      Object.keys(left.pending).forEach(function (item) { take(item, left.pending[item], left.pending[item].epoch || left.epoch); });
      Object.keys(left.asked || {}).forEach(function (item) {
        if (!left.pending[item]) { take(item, left.asked[item], left.asked[item].epoch); }
      });
    }

    function joined(some, others) {
      return some.concat(others.filter(function (item) { return some.indexOf(item) < 0; }));
    }

    // What becomes of an answer that this device gave under an epoch and did not send: nothing where the server has it or a later one of this
    // device; asked where another device answered otherwise since; else it goes on, under the epoch of now.
    function take(item, entry, from) {
      var stored = known[item];
      if (stored && stored.epoch === from && stored.seq >= entry.seq) { return; }
      if (from === state.epoch) {
        state.pending[item] = entry;
        answers[item] = entry.response;
        return;
      }
      if (stored && stored.epoch > from) {
        if (JSON.stringify(stored.response) === JSON.stringify(entry.response)) { return; }
        if (exam.isAnswered(stored.response)) {
          state.asked[item] = { seq: entry.seq, response: entry.response, isText: entry.isText, sealed: entry.sealed, epoch: from };
          if (entry.isText && !entry.sealed) { sealEntry(item, state.asked[item]); }
          return;
        }
      }
      put(item, entry.response, entry.isText);
      added.push(Number(item));
    }

    // What this page holds, and what another tab of this browser left that went on after it.
    function leftHere() {
      var mine = state;
      return exam.openState(attempt, box).then(function (storedState) {
        if (!mine || !storedState || storedState.owner === owner || storedState.epoch <= mine.epoch) { return mine || storedState; }
        [mine.asked, mine.pending].forEach(function (entries) {
          Object.keys(entries).forEach(function (item) {
            if (storedState.pending[item]) { return; }
            var entry = entries[item];
            storedState.pending[item] = {
              seq: entry.seq, response: entry.response, isText: entry.isText, sealed: entry.sealed, epoch: entry.epoch || mine.epoch
            };
          });
        });
        return storedState;
      });
    }

    function asked() {
      return Object.keys(state.asked).map(Number).sort(function (a, b) { return a - b; }).map(function (item) {
        return { item: item, here: state.asked[item].response, there: known[item] ? known[item].response : [] };
      });
    }

    function decide(item, isHere) {
      var entry = state.asked[item];
      delete state.asked[item];
      if (entry && isHere) { put(item, entry.response, entry.isText); }
      persist();
    }

    // Takes out what the server has answered for; a newer change of the same item stays. Gives the refused items.
    function settle(sent, acked, rejected) {
      var out = [];
      sent.forEach(function (change) {
        var entry = state.pending[change.item];
        if (acked[change.item] >= change.seq) {
          known[change.item] = { item: change.item, epoch: state.epoch, seq: change.seq, response: change.response };
          if (entry && entry.seq <= acked[change.item]) { delete state.pending[change.item]; }
        } else if (rejected[change.item] && entry && entry.seq === change.seq) {
          delete state.pending[change.item];
          answers[change.item] = known[change.item] ? known[change.item].response : [];
          out.push({ item: change.item, reason: rejected[change.item] });
        }
      });
      persist();
      return out;
    }

    // The whole sheet: every answer with a counter of this epoch, cleared ones that the server does not know of yet as well.
    function sheet() {
      var listed = Object.keys(answers).map(function (item) {
        var entry = state.pending[item];
        var stored = known[item];
        if (!entry && stored && stored.epoch !== state.epoch) {
          state.seq += 1;
          known[item] = { item: stored.item, epoch: state.epoch, seq: state.seq, response: stored.response };
        }
        var seq = entry ? entry.seq : known[item] && known[item].seq;
        return seq ? { item: Number(item), seq: seq, response: answers[item] } : null;
      }).filter(function (answer) { return answer; });
      persist();
      return listed;
    }

    return {
      load: function () { return exam.openState(attempt, box); },
      begin: begin, leftHere: leftHere, asked: asked, decide: decide,
      added: function () { return added; },
      held: function () { return state; },
      settle: settle, sheet: sheet,
      batch: function (maxChanges, aside) { return exam.batchOf(state.pending, maxChanges, aside); },
      owner: owner,
      change: function (item, response, isText) { put(item, response, isText); persist(); },
      answers: function () { return answers; },
      pending: function () { return state ? Object.keys(state.pending).map(Number) : []; },
      epoch: function () { return state.epoch; },
      unsure: function () { return state.unsure; },
      isUnsureDue: function () { return state.isUnsureDue; },
      setUnsure: function (items) { state.unsure = items; state.isUnsureDue = true; persist(); },
      unsureSaved: function (items) {
        if (String(items) === String(state.unsure)) { state.isUnsureDue = false; persist(); }
      },
      note: function (type, clientAt, duration) {
        state.n += 1;
        if (type === 'focus_loss' || type === 'screen_off') { state.left += 1; }
        if (type === 'focus_loss') { state.lost += 1; }
        state.events.push({ n: state.epoch * 1000000 + state.n, type: type, client_at: clientAt, duration_ms: duration });
        state.events = state.events.slice(-200);
        persist();
      },
      events: function () { return state.events.slice(); },
      eventsSaved: function (count) { state.events = state.events.slice(count); persist(); },
      timesLeft: function () { return state.left; },
      focusLossCount: function () { return state.lost; },
      claim: function (left) { left.isClaiming = true; write(device, key, packed(left)); },
      wipe: function () { state = null; remove(device, key); },
      isStored: function () { return worksHere; },
      keepsTexts: function () { return Boolean(box); },
      whenBroken: function (act) { onBroken = act; if (!worksHere) { act(); } },
      whenLost: function (act) {
        window.addEventListener('storage', function (event) {
          var other = event.key === key && event.newValue ? parsed(event.newValue) : null;
          if (other && state && other.owner !== owner && other.epoch > state.epoch) { act(); }
        });
      }
    };
  };
}(window.ExamPage = window.ExamPage || {}));
