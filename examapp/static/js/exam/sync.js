// Sends the queue: one call in flight, in batches, again and again until the server has answered; then marks, events, and the hand-in.
(function (exam) {
  'use strict';

  var EXCHANGE_MS = 55000;
  var LAST_EXCHANGE_MS = 9000;
  var LAST_MINUTES_MS = 120000;
  var SILENCE_MS = 9000;
  var PROBE_AFTER = 3;

  // `report` is called with what the candidate must see: saved, waiting, silent, back, rejected, notice, recorded, moved, closed, takenOver, gone.
  exam.createSync = function (attempt, queue, net, clock, report) {
    var path = '/attempts/' + attempt.id;
    var nextSaveMs = attempt.next_save_ms || 2000;
    var limit = exam.MAX_CHANGES;
    var aside = {};
    var timer = null;
    var isBusy = false;
    var isOver = false;
    var handIn = null;
    var failures = 0;
    var lastSaveAt = -Infinity;
    var silentSince = null;
    var heardAt = -Infinity;
    var startedAt = null;
    var flushAt = null;
    var isTalking = false;
    var isServerBusy = false;
    var rejections = 0;
    var turn = 0;

    function schedule(pause) {
      window.clearTimeout(timer);
      if (!isOver) { timer = window.setTimeout(pump, Math.max(0, pause)); }
    }

    function hasWork() { return queue.pending().length > 0 || queue.isUnsureDue() || queue.events().length > 0; }

    function idlePause() {
      var left = clock.remaining();
      var every = left !== null && left < LAST_MINUTES_MS ? LAST_EXCHANGE_MS : EXCHANGE_MS;
      var pause = every * (0.9 + Math.random() * 0.1);
      // The last two minutes begin between two exchanges, too.
      return left !== null && left > LAST_MINUTES_MS ? Math.min(pause, left - LAST_MINUTES_MS + 1000) : pause;
    }

    function changed(isText) {
      report.waiting(queue.pending().length);
      if (isBusy || failures) { return; }
      var minWait = isText ? 1200 : 120;
      var due = queue.isStored() ? Math.max(clock.mono() + minWait, lastSaveAt + nextSaveMs) : 0;
      // Whoever goes on typing does not put the save off.
      if (flushAt !== null && flushAt <= due) { return; }
      flushAt = due;
      schedule(due - clock.mono());
    }

    function pump() {
      if (isBusy || isOver) { return; }
      isBusy = true;
      flushAt = null;
      startedAt = clock.mono();
      var own = turn;
      (handIn && !isProbe() ? submit(own) : exchange(own)).then(function (pause) {
        if (own !== turn) { return; }
        isBusy = false;
        schedule(pause);
      }, function () {
        if (own !== turn) { return; }
        isBusy = false;
        schedule(failed(0));
      });
    }

    function failed(waitMs) {
      failures += 1;
      isServerBusy = waitMs > 0;
      if (failures > 1 || clock.mono() - startedAt > SILENCE_MS / 2) { silent(); }
      report.waiting(queue.pending().length);
      return waitMs ? Math.min(waitMs, 30000) * (1 + Math.random() * 0.4) : exam.pauseAfter(failures);
    }

    function silent() {
      if (silentSince !== null) { return; }
      silentSince = clock.mono();
      report.silent(queue.pending().length);
    }

    // The browser's own word that the network is gone is shown before a call has found out; the call, made at once, may take it back.
    function lost() {
      if (isOver) { return; }
      silent();
      now();
    }

    function now() {
      if (isBusy) { return; }
      flushAt = null;
      schedule(Math.random() * 600);
    }

    function heard() {
      failures = 0;
      heardAt = clock.mono();
      if (silentSince === null) { return; }
      queue.note('offline', new Date().toISOString(), Math.round(clock.mono() - silentSince));
      silentSince = null;
      report.back();
    }

    // After some rejections one save goes empty: a server that takes no more content of this attempt tells by it how the attempt stands.
    function isProbe() { return rejections > 0 && rejections % PROBE_AFTER === 0; }

    function exchange(own) {
      var isEmpty = isProbe();
      var sent = isEmpty ? [] : queue.batch(limit, aside);
      var body = { epoch: queue.epoch(), changes: sent };
      if (sent.length) { lastSaveAt = clock.mono(); }
      return net.call('PUT', path + '/answers', body).then(function (answer) {
        if (isOver || own !== turn) { return 0; }
        if (answer.status !== 429) { rejections = isEmpty ? rejections + 1 : 0; }
        if (answer.status === 200) { heard(); return saved(sent, answer.body); }
        if (answer.status === 400 || answer.status === 413) { heard(); return shrink(sent); }
        if (answer.status === 409 && answer.body.error === 'deadline_passed') { return isEmpty ? closed(Object.keys(aside)) : late(sent); }
        return other(answer);
      });
    }

    function saved(sent, body) {
      nextSaveMs = body.next_save_ms || nextSaveMs;
      aside = {};
      queue.settle(sent, body.acked, body.refused).forEach(report.rejected);
      moveDeadline(body.deadline_at);
      if (body.notice) { report.notice(body.notice); }
      var left = queue.pending().length;
      if (!left) { limit = exam.MAX_CHANGES; report.saved(Date.parse(body.server_time)); } else { report.waiting(left); }
      sideTalk();
      if (handIn) { return 0; }
      return left ? Math.max(100, lastSaveAt + nextSaveMs - clock.mono()) : idlePause();
    }

    function moveDeadline(text) {
      var moved = clock.setDeadline(text);
      if (moved) { report.moved(moved); }
    }

    // Marks and events ride beside the answers; that they fail or hang delays no answer.
    function sideTalk() {
      if (isTalking) { return; }
      isTalking = true;
      var marks = queue.unsure().slice();
      var events = queue.events();
      var marking = queue.isUnsureDue()
        ? net.call('PUT', path + '/marks', { epoch: queue.epoch(), unsure: marks }).then(function (answer) {
          if (answer.status === 204 || answer.status === 400) { queue.unsureSaved(marks); }
        })
        : Promise.resolve();
      marking.then(function () {
        // What was left unsent goes first: an exam may hand in whoever left too often.
        if (!events.length || queue.pending().length) { return undefined; }
        return net.call('POST', path + '/events', { events: events }).then(function (answer) {
          if (answer.status === 204 || answer.status === 400) { queue.eventsSaved(events.length); report.recorded(events); }
        });
      }).catch(function () { return undefined; }).then(function () { isTalking = false; });
    }

    // A batch that the server cannot read is cut down until the one bad change stands alone and is taken out.
    function shrink(sent) {
      if (sent.length > 1) { limit = Math.max(1, Math.floor(sent.length / 4)); return 200; }
      if (sent.length === 1) {
        var rejected = {};
        rejected[sent[0].item] = 'bad_request';
        queue.settle(sent, {}, rejected).forEach(report.rejected);
        return 200;
      }
      return failed(5000);
    }

    function other(answer) {
      var code = answer.body.error;
      if (answer.status === 409 && code === 'taken_over') { return over(report.takenOver, null); }
      if (answer.status === 409 && (code === 'deadline_passed' || code === 'already_submitted')) { return closed([]); }
      if (answer.status === 404) { return over(report.gone, answer.body.message); }
      if (answer.status === 403) { report.notice(answer.body.message); }
      if (answer.status === 429) {
        rejections += 1;
        nextSaveMs = answer.body.next_save_ms || nextSaveMs;
        return (answer.waitMs || nextSaveMs) * (1 + Math.random() * 0.4);
      }
      return failed(answer.waitMs);
    }

    // The server keeps each batch that came too late: all that waits goes to it before the receipt ends the page. Where the attempt was opened
    // again meanwhile, the next save is taken, and all of it is sent anew.
    function late(sent) {
      sent.forEach(function (change) { aside[change.item] = change.seq; });
      return queue.batch(1, aside).length ? 100 : closed(Object.keys(aside));
    }

    function over(say, value) {
      isOver = true;
      window.clearTimeout(timer);
      say(value);
      return 0;
    }

    // The attempt is closed on the server: its receipt is there to be read.
    function closed(late) {
      return net.call('GET', path).then(function (answer) {
        if (answer.status !== 200) { return failed(answer.waitMs); }
        moveDeadline(answer.body.deadline_at);
        if (!answer.body.receipt) { return 500; }
        heard();
        return over(function () { report.closed(answer.body.receipt, answer.body.receipt.forced ? late : [], {}, answer.body); }, null);
      });
    }

    function submit(own) {
      var sheet = queue.sheet();
      return net.call('POST', path + '/submission', { epoch: queue.epoch(), answers: sheet }).then(function (answer) {
        if (isOver || own !== turn) { return 0; }
        // Handed in before, by this page or another device: what waits here may be in it or not.
        if (answer.status === 200 && queue.pending().length) { heard(); return closed(queue.pending()); }
        if (answer.status === 200 || answer.status === 201) {
          heard();
          return over(function () { report.closed(answer.body.receipt, [], answer.body.refused); }, null);
        }
        if (answer.status === 400 || answer.status === 413) { handIn = null; report.handInFailed(answer.body.message); return 200; }
        return other(answer);
      });
    }

    // Called every half second: a call that gets no word is said within fifteen seconds. Silence is a call without an answer: while a candidate only
    // reads, up to a minute goes by between two calls, since a call of every page every ten seconds is more than all its saves.
    function watch() {
      if (net.isSigningIn()) { startedAt = clock.mono(); }
      if (isBusy && !isOver && clock.mono() - startedAt > SILENCE_MS) { silent(); }
    }

    return {
      changed: changed,
      marked: function () { if (!isBusy && !failures && flushAt === null) { schedule(400); } },
      now: now,
      lost: lost,
      hurry: function () { if (!isBusy && !failures && !isOver && queue.pending().length) { pump(); } },
      isFailing: function () { return failures > 0; },
      failures: function () { return failures; },
      start: function () { schedule(hasWork() ? 100 : idlePause()); },
      watch: watch,
      handIn: function () { handIn = true; failures = 0; if (!isBusy) { schedule(0); } },
      cancelHandIn: function () { handIn = null; },
      isHandingIn: function () { return Boolean(handIn); },
      isSilent: function () { return silentSince !== null; },
      heardAt: function () { return heardAt; },
      isServerBusy: function () { return isServerBusy; },
      isOver: function () { return isOver; },
      stop: function () { isOver = true; window.clearTimeout(timer); },
      // Goes on after this device took the attempt back; what was under way before counts no more.
      resume: function () {
        turn += 1;
        isOver = isBusy = false;
        handIn = silentSince = flushAt = null;
        failures = rejections = 0;
        aside = {};
        limit = exam.MAX_CHANGES;
        schedule(100);
      }
    };
  };
}(window.ExamPage = window.ExamPage || {}));
