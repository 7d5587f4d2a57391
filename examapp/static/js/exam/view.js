// One object a question kind: how its answer is asked for, read, shown and counted. The view knows no kind by name.
(function (exam) {
  'use strict';

  function el(tag, className, text) {
    var node = document.createElement(tag);
    if (className) { node.className = className; }
    if (text !== undefined) { node.textContent = text; }
    return node;
  }
  // The server has cleaned what it sends: an allow-list of tags, pictures of its own.
  function rich(tag, className, html) {
    var node = el(tag, className + ' rich');
    node.innerHTML = html;
    return node;
  }
  exam.el = el;
  exam.rich = rich;

  exam.isAnswered = function (response) {
    return Boolean(response) && response.some(function (part) { return part.trim() !== ''; });
  };

  function isAnswered(item, response) { return exam.isAnswered(response); }

  // What is answered with one tap may lead on to the next question by itself.
  function choice(name, isMany) {
    function chosen(entry) {
      return entry.inputs.filter(function (input) { return input.checked; }).map(function (input) { return input.value; });
    }

    function draw(entry, tools) {
      var item = entry.item;
      var group = el('div', 'options');
      group.setAttribute('role', isMany ? 'group' : 'radiogroup');
      group.setAttribute('aria-labelledby', 'head-' + item.item + ' stem-' + item.item);
      if (isMany) { group.appendChild(el('p', 'hint', '可选多项')); }
      entry.inputs = item.options.map(function (option) {
        var label = el('label', 'option');
        var input = el('input');
        input.type = isMany ? 'checkbox' : 'radio';
        input.name = 'answer-' + item.item;
        input.value = option.key;
        input.addEventListener('change', function () { tools.answered(entry, chosen(entry)); });
        label.appendChild(input);
        label.appendChild(el('span', 'option-key', option.key));
        label.appendChild(rich('span', 'option-text', option.text));
        group.appendChild(label);
        return input;
      });
      return group;
    }

    return {
      name: name, isText: false, isOneTap: !isMany, draw: draw, isAnswered: isAnswered,
      blank: function () { return []; },
      show: function (entry, response, isLocked) {
        entry.inputs.forEach(function (input) {
          input.checked = response.indexOf(input.value) >= 0;
          input.disabled = isLocked;
        });
      },
      showChosen: function (entry) {
        entry.inputs.forEach(function (input) { input.parentNode.classList.toggle('is-chosen', input.checked); });
      },
      press: function (entry, key, tools) {
        var index = /^[a-h]$/i.test(key) ? key.toUpperCase().charCodeAt(0) - 65 : /^[1-8]$/.test(key) ? Number(key) - 1 : -1;
        var input = entry.inputs[index];
        if (!input) { return false; }
        input.checked = !input.checked;
        tools.answered(entry, chosen(entry));
        return true;
      }
    };
  }

  function texts(name, isShort) {
    function typed(entry) { return entry.inputs.map(function (input) { return input.value; }); }

    function drawText(entry, group, index, count, tools) {
      var label = el('label', 'blank');
      label.appendChild(el('span', 'blank-name', isShort ? '作答' : count > 1 ? '第 ' + (index + 1) + ' 空' : '填写'));
      var input = el(isShort ? 'textarea' : 'input', 'text');
      if (isShort) { input.rows = 8; } else { input.type = 'text'; }
      input.maxLength = 4000;
      input.autocomplete = 'off';
      input.setAttribute('aria-describedby', 'stem-' + entry.item.item);
      function read() {
        var now = typed(entry);
        if (exam.isAnswered(now) || exam.isAnswered(tools.stored(entry))) { tools.answered(entry, now); }
      }
      input.addEventListener('input', function (event) { if (!event.isComposing) { read(); } });
      input.addEventListener('compositionend', read);
      input.addEventListener('blur', read);
      input.addEventListener('focus', function () { tools.focused(entry); });
      label.appendChild(input);
      group.appendChild(label);
      return input;
    }

    return {
      name: name, isText: true, isAnswered: isAnswered,
      draw: function (entry, tools) {
        var group = el('div', 'texts');
        var count = isShort ? 1 : entry.item.blanks;
        entry.inputs = [];
        for (var i = 0; i < count; i += 1) { entry.inputs.push(drawText(entry, group, i, count, tools)); }
        return group;
      },
      blank: function (entry) { return entry.inputs.map(function () { return ''; }); },
      show: function (entry, response, isLocked) {
        entry.inputs.forEach(function (input, index) {
          input.value = response[index] || '';
          input.disabled = isLocked;
        });
      },
      showChosen: function () {},
      press: function () { return false; }
    };
  }

  exam.kinds = {
    single_choice: choice('单选题', false),
    multiple_choice: choice('多选题', true),
    true_false: choice('判断题', false),
    fill_blank: texts('填空题', false),
    short_answer: texts('简答题', true)
  };
}(window.ExamPage = window.ExamPage || {}));

// The paper on the page: one question or all, the answer sheet, marks, type size, keys. It knows nothing of the network.
(function (exam) {
  'use strict';

  var SIZES = [100, 125, 150, 200];
  var LEAD_ON_MS = 450;
  var SWIPE_PX = 70;

  var el = exam.el;
  var rich = exam.rich;

  function tidy(points) { return String(points).indexOf('.') < 0 ? String(points) : String(points).replace(/\.?0+$/, ''); }

  exam.createView = function (paper, handlers) {
    var container = document.getElementById('questions');
    var sheetBox = document.getElementById('sheet');
    var counts = document.querySelectorAll('[data-answered]');
    var here = document.getElementById('place');
    var done = document.getElementById('done');
    var items = [];
    var byNumber = {};
    var answers = {};
    var unsure = {};
    var unsent = {};
    var current = 1;
    var isLocked = false;

    // What a kind's fields call: an answer was changed, a field has the focus.
    var tools = {
      answered: function (entry, response) { answer(entry, response); },
      stored: function (entry) { return answers[entry.item.item] || []; },
      focused: function (entry) { setCurrent(entry.item.item); }
    };

    function isDoneWith(entry) { return entry.kind.isAnswered(entry.item, answers[entry.item.item] || []); }

    function draw() {
      var material = null;
      paper.sections.forEach(function (section, index) {
        var group = el('div', 'sheet-section');
        group.appendChild(el('h3', 'sheet-title', section.title));
        var squares = el('div', 'squares');
        section.items.forEach(function (item, position) {
          var entry = { item: item, kind: exam.kinds[item.kind], section: section, index: index, isFirst: position === 0 };
          entry.repeats = item.material !== null && item.material === material;
          material = item.material;
          entry.article = drawItem(entry);
          entry.square = drawSquare(entry);
          items.push(entry);
          byNumber[item.item] = entry;
          container.appendChild(entry.article);
          squares.appendChild(entry.square);
        });
        group.appendChild(squares);
        sheetBox.appendChild(group);
      });
    }

    function drawItem(entry) {
      var item = entry.item;
      var article = el('article', 'item' + (entry.isFirst ? ' is-first' : '') + (entry.repeats ? ' repeats' : ''));
      article.id = 'item-' + item.item;
      article.tabIndex = -1;
      article.setAttribute('aria-labelledby', 'head-' + item.item);
      var section = el('div', 'section-head');
      section.appendChild(el('h2', 'section-title', entry.section.title));
      if (entry.section.instructions) { section.appendChild(rich('div', 'section-text', entry.section.instructions)); }
      article.appendChild(section);
      var body = el('div', 'item-body' + (item.material ? ' has-material' : ''));
      if (item.material) {
        var material = el('section', 'material');
        material.setAttribute('aria-label', '案例材料');
        material.appendChild(el('h3', 'material-title', '案例材料'));
        material.appendChild(rich('div', 'material-text', item.material));
        body.appendChild(material);
      }
      body.appendChild(drawQuestion(entry));
      article.appendChild(body);
      return article;
    }

    function drawQuestion(entry) {
      var item = entry.item;
      var box = el('div', 'question');
      var head = el('h3', 'item-head');
      head.id = 'head-' + item.item;
      head.appendChild(el('span', 'item-number', '第 ' + item.item + ' 题'));
      head.appendChild(el('span', 'item-kind', entry.kind.name + '　' + tidy(item.points) + ' 分'));
      box.appendChild(head);
      var stem = rich('div', 'stem', item.stem);
      stem.id = 'stem-' + item.item;
      box.appendChild(stem);
      box.appendChild(entry.kind.draw(entry, tools));
      entry.note = el('p', 'item-note');
      entry.note.setAttribute('role', 'status');
      box.appendChild(entry.note);
      box.appendChild(drawTools(entry));
      return box;
    }

    function drawTools(entry) {
      var tools = el('div', 'item-tools');
      var label = el('label', 'unsure');
      entry.mark = el('input');
      entry.mark.type = 'checkbox';
      entry.mark.addEventListener('change', function () { toggleUnsure(entry.item.item, entry.mark.checked); });
      label.appendChild(entry.mark);
      label.appendChild(el('span', '', '存疑，稍后检查'));
      tools.appendChild(label);
      var clear = el('button', 'plain', '清空本题答案');
      clear.type = 'button';
      clear.addEventListener('click', function () { if (exam.isAnswered(answers[entry.item.item])) { answer(entry, []); show(entry); } });
      tools.appendChild(clear);
      if (canRead()) { tools.appendChild(drawReader(entry)); }
      return tools;
    }

    // In elder mode the browser reads a question with its options aloud, where it can.
    function canRead() {
      return Boolean(window.speechSynthesis && window.SpeechSynthesisUtterance) && document.documentElement.classList.contains('elder');
    }

    function drawReader(entry) {
      var button = el('button', 'plain read-aloud', '朗读本题');
      button.type = 'button';
      button.addEventListener('click', function () {
        var isReading = window.speechSynthesis.speaking;
        window.speechSynthesis.cancel();
        if (isReading) { return; }
        var parts = entry.article.querySelectorAll('.material-text, .stem, .option');
        // One part an utterance: some browsers fall silent in the middle of a long one.
        Array.prototype.forEach.call(parts, function (part) {
          var text = new window.SpeechSynthesisUtterance(part.textContent);
          text.lang = 'zh-CN';
          text.rate = 0.9;
          window.speechSynthesis.speak(text);
        });
      });
      return button;
    }

    function drawSquare(entry) {
      var square = el('button', 'square', String(entry.item.item));
      square.type = 'button';
      square.addEventListener('click', function () { handlers.leaveSheet(); go(entry.item.item, true); });
      return square;
    }

    function answer(entry, response) {
      var number = entry.item.item;
      if (isLocked || String(answers[number] || []) === String(response)) { return; }
      var isFirst = !isDoneWith(entry);
      answers[number] = response;
      entry.note.textContent = '';
      entry.kind.showChosen(entry);
      setCurrent(number);
      handlers.answered(number, response.length ? response : entry.kind.blank(entry), entry.kind.isText);
      showSquare(entry);
      showCounts();
      if (isFirst && entry.kind.isOneTap && exam.leadsOn()) { leadOn(number); }
    }

    // To the next question, where the answer stands and the person has not gone elsewhere meanwhile.
    function leadOn(number) {
      window.setTimeout(function () {
        if (current === number && number < items.length && !isLocked && isDoneWith(byNumber[number]) && !isAll()) { go(number + 1, true); }
      }, LEAD_ON_MS);
    }

    function isAll() { return document.body.classList.contains('all'); }

    function show(entry) {
      entry.kind.show(entry, answers[entry.item.item] || [], isLocked);
      entry.kind.showChosen(entry);
      entry.mark.checked = Boolean(unsure[entry.item.item]);
      entry.mark.disabled = isLocked;
      showSquare(entry);
    }

    function showSquare(entry) {
      var number = entry.item.item;
      var isDone = isDoneWith(entry);
      entry.square.className = 'square' + (isDone ? ' is-answered' : '') + (unsure[number] ? ' is-unsure' : '') +
        (unsent[number] ? ' is-unsent' : '') + (number === current ? ' is-current' : '');
      entry.square.setAttribute('aria-label', '第 ' + number + ' 题，' + (isDone ? '已答' : '未答') +
        (unsure[number] ? '，存疑' : '') + (unsent[number] ? '，未上传' : ''));
      if (number === current) { entry.square.setAttribute('aria-current', 'true'); } else { entry.square.removeAttribute('aria-current'); }
    }

    function showCounts() {
      var answered = items.filter(isDoneWith).length;
      Array.prototype.forEach.call(counts, function (node) { node.textContent = answered + ' / ' + items.length; });
      done.textContent = '已答 ' + answered;
    }

    function toggleUnsure(number, isOn) {
      if (isLocked) { return; }
      if (isOn) { unsure[number] = true; } else { delete unsure[number]; }
      byNumber[number].mark.checked = Boolean(isOn);
      showSquare(byNumber[number]);
      handlers.marked(Object.keys(unsure).map(Number));
    }

    function setCurrent(number) {
      if (number === current) { return; }
      var before = byNumber[current];
      current = number;
      if (before) { showSquare(before); before.article.classList.remove('is-current'); }
      byNumber[number].article.classList.add('is-current');
      document.body.classList.toggle('past-first', number > 1);
      showSquare(byNumber[number]);
      handlers.moved(number);
      showPosition();
    }

    function showPosition() {
      here.textContent = '第 ' + current + '/' + items.length + ' 题';
      document.getElementById('previous').disabled = current === 1;
      document.getElementById('next').textContent = current === items.length ? '检查交卷' : '下一题';
    }

    // Where all questions stand below each other, the one at the top of the screen is the one that is being read.
    function lookWhere() {
      if (!isAll()) { return; }
      var top = document.querySelector('.head').getBoundingClientRect().bottom + 40;
      var seen = items.filter(function (entry) { return entry.article.getBoundingClientRect().bottom > top; })[0];
      var isAtFoot = window.innerHeight + window.pageYOffset >= document.documentElement.scrollHeight - 2;
      if (isAtFoot) { setCurrent(items.length); } else if (seen) { setCurrent(seen.item.item); }
    }

    // A swipe over the question leads to the one beside it; what scrolls sideways by itself, and texts, keep theirs.
    function watchSwipes() {
      var start = null;
      container.addEventListener('touchstart', function (event) {
        var touch = event.touches[0];
        var isOwn = event.touches.length > 1 || event.target.closest('table, input[type="text"], textarea, .order');
        start = isOwn || isAll() ? null : { x: touch.clientX, y: touch.clientY };
      }, { passive: true });
      container.addEventListener('touchend', function (event) {
        var touch = event.changedTouches[0];
        var x = start ? touch.clientX - start.x : 0;
        var isSideways = start && Math.abs(x) > SWIPE_PX && Math.abs(x) > 2 * Math.abs(touch.clientY - start.y);
        start = null;
        if (isSideways) { step(x < 0 ? 1 : -1); }
      }, { passive: true });
    }

    function step(by) {
      lookWhere();
      go(Math.min(items.length, Math.max(1, current + by)), true);
    }

    function blanks() {
      return items.filter(function (entry) { return !isDoneWith(entry); }).map(function (entry) { return entry.item.item; });
    }

    function go(number, takesFocus) {
      if (!byNumber[number]) { return; }
      setCurrent(number);
      var article = byNumber[number].article;
      if (canRead()) { window.speechSynthesis.cancel(); }
      if (document.body.classList.contains('all')) { article.scrollIntoView(); } else { window.scrollTo(0, 0); }
      if (takesFocus) { article.focus({ preventScroll: true }); }
    }

    function press(key) {
      var entry = byNumber[current];
      return !isLocked && entry.kind.press(entry, key, tools);
    }

    draw();
    setCurrent(1);
    byNumber[1].article.classList.add('is-current');
    showPosition();
    watchSwipes();

    return {
      go: go,
      current: function () { return current; },
      step: step,
      isAtEnd: function () { lookWhere(); return current === items.length; },
      press: press,
      toggleUnsure: function () { toggleUnsure(current, !unsure[current]); },
      fill: function (served, marks) {
        answers = {};
        unsure = {};
        Object.keys(served).forEach(function (number) { answers[number] = served[number]; });
        marks.forEach(function (number) { unsure[number] = true; });
        items.forEach(show);
        showCounts();
      },
      unsent: function (numbers) {
        var before = unsent;
        unsent = {};
        numbers.forEach(function (number) { unsent[number] = true; });
        items.forEach(function (entry) {
          var number = entry.item.item;
          if (Boolean(before[number]) !== Boolean(unsent[number])) { showSquare(entry); }
        });
      },
      rejectAnswer: function (number, response, text) {
        var entry = byNumber[number];
        if (!entry) { return; }
        answers[number] = response;
        show(entry);
        entry.note.textContent = text;
        showCounts();
      },
      lock: function (isOn) { isLocked = isOn; items.forEach(show); },
      blanks: blanks,
      unsure: function () { return Object.keys(unsure).map(Number); },
      count: items.length
    };
  };

  // Leading on by itself is a switch of the device: on at first, off in elder mode; never for whoever answers by keys.
  function isLeadingOn() {
    var chosen = exam.readSetting('lead-on');
    return chosen ? chosen === 'on' : !document.documentElement.classList.contains('elder');
  }

  exam.leadsOn = function () { return isLeadingOn() && !document.body.classList.contains('by-key'); };

  exam.watchLeadOn = function () {
    var button = document.getElementById('lead-on');
    function show() { button.setAttribute('aria-pressed', String(isLeadingOn())); }
    button.addEventListener('click', function () {
      exam.writeSetting('lead-on', isLeadingOn() ? 'off' : 'on');
      show();
    });
    show();
  };

  // The size of type is the device's habit, not the exam's.
  exam.watchSize = function () {
    var size = Number(exam.readSetting('size')) || 100;
    function apply() {
      SIZES.forEach(function (one) { document.documentElement.classList.toggle('size-' + one, one === size); });
      document.getElementById('smaller').disabled = size === SIZES[0];
      document.getElementById('larger').disabled = size === SIZES[SIZES.length - 1];
    }
    function set(next) { size = next; exam.writeSetting('size', size); apply(); }
    document.getElementById('smaller').addEventListener('click', function () { set(SIZES[Math.max(0, SIZES.indexOf(size) - 1)]); });
    document.getElementById('larger').addEventListener('click', function () { set(SIZES[Math.min(SIZES.length - 1, SIZES.indexOf(size) + 1)]); });
    document.getElementById('normal').addEventListener('click', function () { set(100); });
    if (SIZES.indexOf(size) < 0) { size = 100; }
    apply();
  };
}(window.ExamPage = window.ExamPage || {}));
