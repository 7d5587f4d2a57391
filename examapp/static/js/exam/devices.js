// Answers of this device that the server does not have when another device went on: set aside where the time is over, else entered again, or
// asked about where both devices answered the same question differently. Never dropped without a word.
(function (exam) {
  'use strict';

  var BATCH_RETRIES = 3;

  function later(pause) { return new Promise(function (resolve) { window.setTimeout(resolve, pause); }); }
  function rising(a, b) { return a - b; }

  exam.naming = function (items) { return '第 ' + items.map(Number).sort(rising).join('、') + ' 题'; };

  // Every unsent answer of a state by item, each with the epoch it was given under.
  exam.unsentOf = function (left) {
    var all = {};
    [left && left.asked || {}, left && left.pending || {}].forEach(function (some) {
      Object.keys(some).forEach(function (item) {
        var entry = some[item];
        all[item] = { seq: entry.seq, response: entry.response, epoch: entry.epoch || left.epoch };
      });
    });
    return all;
  };

  // Of these items, those whose answer on this device is another one than what the attempt holds.
  exam.missingFrom = function (attempt, left, items) {
    var stored = {};
    var unsent = exam.unsentOf(left);
    attempt.answers.forEach(function (answer) { stored[answer.item] = answer.response; });
    return items.filter(function (item) {
      var here = unsent[item] ? unsent[item].response : [];
      var there = stored[item] || [];
      return JSON.stringify(here) !== JSON.stringify(there) && (exam.isAnswered(here) || exam.isAnswered(there));
    });
  };

  // Sends what is unsent under the epoch it was given under, batch by batch: set aside where the time is over or another device went on. Tells the
  // items that were kept so, those that came after a hand-in, and those that the server cannot read or keeps no more of.
  exam.sendLate = function (net, left) {
    var sent = { quarantined: [], lost: [], rejected: {} };
    var unsent = exam.unsentOf(left);
    var epochs = {};
    Object.keys(unsent).forEach(function (item) {
      var epoch = unsent[item].epoch;
      epochs[epoch] = epochs[epoch] || {};
      epochs[epoch][item] = unsent[item];
    });
    return Object.keys(epochs).map(Number).sort(rising).reduce(function (before, epoch) {
      return before.then(function () { return sendUnder(epoch, epochs[epoch]); });
    }, Promise.resolve()).then(function () { return sent; });

    function sendUnder(epoch, waiting) {
      var rejections = 0;
      return next(exam.MAX_CHANGES);

      function save(changes) {
        return net.call('PUT', '/attempts/' + left.attempt + '/answers', { epoch: epoch, changes: changes });
      }

      function done(changes, note) {
        changes.forEach(function (change) {
          delete waiting[change.item];
          note(change.item);
        });
        rejections = 0;
        return next(exam.MAX_CHANGES);
      }

      function next(maxChanges) {
        var changes = exam.batchOf(waiting, maxChanges);
        if (!changes.length) { return Promise.resolve(); }
        return save(changes).then(function (answer) { return judge(answer, changes, maxChanges); }, function () { return again(maxChanges, 0); });
      }

      function judge(answer, changes, maxChanges) {
        if (answer.status === 429) { return slowed(answer, changes, maxChanges); }
        if (answer.status >= 500) { return again(maxChanges, answer.waitMs); }
        if (answer.status === 400 || answer.status === 413) {
          if (changes.length > 1) { return next(Math.floor(changes.length / 4) || 1); }
          return done(changes, function (item) { sent.rejected[item] = 'bad_request'; });
        }
        if (answer.status !== 200 && answer.status !== 409) { throw new Error('late answers: ' + answer.status); }
        return done(changes, function (item) { (answer.body.error === 'already_submitted' ? sent.lost : sent.quarantined).push(item); });
      }

      // A server that is busy says so to an empty save as well; one that keeps no more of this attempt only to its content.
      function slowed(answer, changes, maxChanges) {
        rejections += 1;
        if (rejections < BATCH_RETRIES) { return again(maxChanges, answer.waitMs); }
        return save([]).then(function (probe) {
          if (probe.status >= 500 || probe.status === 429) { rejections = 0; return again(maxChanges, probe.waitMs); }
          return done(changes, function (item) { sent.rejected[item] = 'not_kept'; });
        }, function () { return again(maxChanges, 0); });
      }

      function again(maxChanges, waitMs) { return later(waitMs || 3000).then(function () { return next(maxChanges); }); }
    }
  };

  // What the receipt says of answers that are not in it.
  exam.lateSummary = function (outcome) {
    var text = '';
    if (outcome.quarantined.length) { text += exam.naming(outcome.quarantined) + '没有赶上，已交管理员判断。'; }
    if (outcome.lost.length) { text += '试卷已在另一设备或窗口交卷，本机' + exam.naming(outcome.lost) + '的作答没有上传，未计入。'; }
    if (outcome.undecided && outcome.undecided.length) {
      text += exam.naming(outcome.undecided) + '在两台设备上的作答不同，没有选择，按另一设备的作答交卷，本机的作答已交管理员判断。';
    }
    Object.keys(outcome.rejected).forEach(function (item) {
      text += '第 ' + item + ' 题的作答未被接受：' + exam.reasonFor(outcome.rejected[item]) + '。';
    });
    return text;
  };

  function drawResponse(item, response) {
    var box = exam.el('span', 'choose-response');
    if (!exam.isAnswered(response)) { box.appendChild(exam.el('span', 'choose-line', '未作答')); return box; }
    response.forEach(function (part, index) {
      var line = exam.el('span', 'choose-line');
      var option = (item.options || []).filter(function (one) { return one.key === part; })[0];
      if (option) {
        line.appendChild(exam.el('b', '', part + '　'));
        line.appendChild(exam.rich('span', '', option.text));
      } else {
        line.textContent = (response.length > 1 ? '第 ' + (index + 1) + ' 空：' : '') + (part || '（空）');
      }
      box.appendChild(line);
    });
    return box;
  }

  function drawConflict(one, item) {
    var group = exam.el('fieldset', 'choose-item');
    group.appendChild(exam.el('legend', '', '第 ' + one.item + ' 题'));
    group.appendChild(exam.rich('div', 'choose-stem', item.stem));
    var pair = exam.el('div', 'choose-pair');
    [['here', '这台设备', one.here], ['there', '另一设备', one.there]].forEach(function (side) {
      var label = exam.el('label', 'choose-side');
      var input = exam.el('input');
      input.type = 'radio';
      input.name = 'choose-' + one.item;
      input.value = side[0];
      label.appendChild(input);
      var text = exam.el('span', 'choose-text');
      text.appendChild(exam.el('span', 'choose-name', side[1]));
      text.appendChild(drawResponse(item, side[2]));
      label.appendChild(text);
      pair.appendChild(label);
    });
    group.appendChild(pair);
    return group;
  }

  // Asks, question by question, which of two answers is to stand; `decide` is called once for each when all are chosen.
  exam.askWhichAnswers = function (panels, paper, conflicts, decide) {
    var items = {};
    paper.sections.forEach(function (section) { section.items.forEach(function (item) { items[item.item] = item; }); });
    var container = document.getElementById('choose-list');
    var text = document.getElementById('choose-text');
    container.textContent = '';
    text.textContent = '';
    conflicts.forEach(function (one) { container.appendChild(drawConflict(one, items[one.item])); });

    function chosen(item) { return container.querySelector('input[name="choose-' + item + '"]:checked'); }

    function chooseAll(side) {
      Array.prototype.forEach.call(container.querySelectorAll('input[value=' + side + ']'), function (input) { input.checked = true; });
      text.textContent = '';
      document.getElementById('choose-done').focus();
    }

    document.getElementById('choose-all-here').onclick = function () { chooseAll('here'); };
    document.getElementById('choose-all-there').onclick = function () { chooseAll('there'); };
    document.getElementById('choose-done').onclick = function () {
      var open = conflicts.filter(function (one) { return !chosen(one.item); });
      if (open.length) {
        text.textContent = '还有' + exam.naming(open.map(function (one) { return one.item; })) + '没有选择。';
        container.querySelector('input[name="choose-' + open[0].item + '"]').focus();
        return;
      }
      panels.close();
      decide(conflicts.map(function (one) { return { item: one.item, isHere: chosen(one.item).value === 'here' }; }));
    };
    panels.open('panel-choose');
  };
}(window.ExamPage = window.ExamPage || {}));
