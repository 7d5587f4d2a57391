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
      name: name, isText: false, draw: draw, isAnswered: isAnswered,
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
