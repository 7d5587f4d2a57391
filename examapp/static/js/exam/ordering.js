// A list that is put into order by buttons and by the arrow keys: on the exam page a question kind, on practice pages the field of a form.
(function (exam) {
  'use strict';

  if (exam.createOrder) { return; } // a page may name this script once a question

  var STYLES = document.currentScript.src.replace('js/exam/ordering.js', 'css/ordering.css');

  // The exam page loads the styles only for a paper that has such a question.
  function addStyles() {
    if (document.querySelector('link[href$="css/ordering.css"]')) { return; }
    var link = make('link');
    link.rel = 'stylesheet';
    link.href = STYLES;
    document.head.appendChild(link);
  }

  function make(tag, className, text) {
    var node = document.createElement(tag);
    if (className) { node.className = className; }
    if (text !== undefined) { node.textContent = text; }
    return node;
  }

  function button(text, label, act) {
    var node = make('button', 'btn btn-outline-primary order-move', text);
    node.type = 'button';
    node.setAttribute('aria-label', label);
    node.addEventListener('click', act);
    return node;
  }

  // `options`: [{ key, node }] in the order of the paper. `changed(order)` is called with all keys when the person orders or confirms.
  exam.createOrder = function (options, changed) {
    addStyles();
    var box = make('div', 'order');
    var list = make('ol', 'order-list');
    var spoken = make('p', 'order-state');
    var confirm = make('button', 'btn btn-outline-primary order-confirm', '就按现在的顺序作答');
    var rows = {};
    var order = options.map(function (option) { return option.key; });
    var isGiven = false;
    var isLocked = false;

    options.forEach(function (option) {
      var row = make('li', 'order-row');
      var name = '选项 ' + option.key + '，' + option.node.textContent.trim().slice(0, 30);
      rows[option.key] = {
        row: row,
        position: make('span', 'order-place'),
        up: button('上移', '上移：' + name, function () { move(option.key, -1); }),
        down: button('下移', '下移：' + name, function () { move(option.key, 1); })
      };
      row.appendChild(rows[option.key].position);
      row.appendChild(make('span', 'order-key', option.key));
      option.node.classList.add('order-text');
      row.appendChild(option.node);
      var moves = make('span', 'order-moves');
      moves.appendChild(rows[option.key].up);
      moves.appendChild(rows[option.key].down);
      row.appendChild(moves);
      row.addEventListener('keydown', function (event) {
        var by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
        if (!by || event.altKey || event.ctrlKey || event.metaKey) { return; }
        event.preventDefault();
        event.stopPropagation();
        move(option.key, by);
      });
      list.appendChild(row);
    });
    spoken.setAttribute('role', 'status');
    confirm.type = 'button';
    confirm.addEventListener('click', function () { give(); spoken.focus(); });
    spoken.tabIndex = -1;
    box.appendChild(list);
    box.appendChild(spoken);
    box.appendChild(confirm);

    function give() {
      if (isLocked) { return; }
      isGiven = true;
      changed(order.slice());
      render();
    }

    function move(key, by) {
      var from = order.indexOf(key);
      var to = from + by;
      if (isLocked || to < 0 || to >= order.length) { return; }
      order.splice(from, 1);
      order.splice(to, 0, key);
      give();
      var wanted = by < 0 ? rows[key].up : rows[key].down;
      (wanted.disabled ? (by < 0 ? rows[key].down : rows[key].up) : wanted).focus();
      spoken.textContent = '选项 ' + key + ' 现在排第 ' + (to + 1) + ' 位。' + positionsText();
    }

    function positionsText() {
      return isGiven ? '您的顺序：' + order.join(' → ') : '还没有作答。请用“上移”“下移”排好顺序；现在的顺序就是您要的，请按下面的按钮。';
    }

    function render() {
      order.forEach(function (key, position) {
        var one = rows[key];
        if (list.children[position] !== one.row) { list.insertBefore(one.row, list.children[position] || null); }
        one.position.textContent = '第 ' + (position + 1) + ' 位';
        one.up.disabled = isLocked || position === 0;
        one.down.disabled = isLocked || position === order.length - 1;
      });
      box.classList.toggle('is-given', isGiven);
      confirm.hidden = isGiven || isLocked;
      spoken.textContent = positionsText();
    }

    render();
    return {
      box: box,
      order: function () { return order.slice(); },
      // A response that names only a part of the options is a draft: what it names comes first, the rest as on the paper.
      show: function (response, locked) {
        var all = options.map(function (option) { return option.key; });
        isLocked = Boolean(locked);
        isGiven = response.length === all.length;
        order = response.concat(all.filter(function (key) { return response.indexOf(key) < 0; }));
        render();
      }
    };
  };

  if (exam.kinds) {
    exam.kinds.ordering = {
      name: '排序题', isText: false,
      draw: function (entry, tools) {
        var item = entry.item;
        entry.order = exam.createOrder(item.options.map(function (option) {
          return { key: option.key, node: exam.rich('div', '', option.text) };
        }), function (order) { tools.answered(entry, order); });
        entry.order.box.setAttribute('role', 'group');
        entry.order.box.setAttribute('aria-labelledby', 'head-' + item.item + ' stem-' + item.item);
        entry.order.box.addEventListener('focusin', function () { tools.focused(entry); });
        return entry.order.box;
      },
      isAnswered: function (item, response) { return response.length === item.options.length; },
      blank: function () { return []; },
      show: function (entry, response, isLocked) { entry.order.show(response, isLocked); },
      showChosen: function () {},
      press: function () { return false; }
    };
  }

  // On practice pages: `<div data-field="ordering" data-name="…"><ol><li data-key="A">…`; with a name, hidden inputs carry the order.
  function upgraded(field) {
    if (field.order) { return field.order; }
    var plain = Array.prototype.slice.call(field.querySelectorAll('[data-key]'));
    var inputs = make('div');
    function write(order) {
      inputs.textContent = '';
      if (!field.dataset.name) { return; }
      order.forEach(function (key) {
        var input = make('input');
        input.type = 'hidden';
        input.name = field.dataset.name;
        input.value = key;
        inputs.appendChild(input);
      });
    }
    field.order = exam.createOrder(plain.map(function (row) {
      var node = make('div', 'rich');
      while (row.firstChild) { node.appendChild(row.firstChild); }
      return { key: row.dataset.key, node: node };
    }), function (order) {
      write(order);
      field.setAttribute('data-answered', '');
      field.dispatchEvent(new window.Event('change', { bubbles: true }));
    });
    field.textContent = '';
    field.appendChild(field.order.box);
    field.appendChild(inputs);
    return field.order;
  }

  exam.fields = exam.fields || {};
  exam.fields.ordering = {
    read: function (field) { return upgraded(field).order(); },
    show: function (field, response) {
      upgraded(field).show(response, false);
      if (response.length) { field.setAttribute('data-answered', ''); }
    }
  };
  document.addEventListener('DOMContentLoaded', function () {
    Array.prototype.forEach.call(document.querySelectorAll('[data-field="ordering"]'), upgraded);
  });
}(window.ExamPage = window.ExamPage || {}));
