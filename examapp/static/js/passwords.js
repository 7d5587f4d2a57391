// A button that shows what is typed as a password, and the rules of a new one, ticked while it is typed.
(function () {
  'use strict';

  var CLASSES = [/[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/];

  function each(selector, act) { Array.prototype.forEach.call(document.querySelectorAll(selector), act); }

  function addEye(input) {
    if (input.parentNode.querySelector('.eye')) { return; }
    var button = document.createElement('button');
    button.type = 'button';
    button.className = 'btn btn-outline-primary eye';
    button.setAttribute('aria-controls', input.id);
    button.addEventListener('click', function () { input.type = input.type === 'password' ? 'text' : 'password'; name(); });
    function name() {
      var isShown = input.type === 'text';
      button.textContent = isShown ? '隐藏密码' : '显示密码';
      button.setAttribute('aria-pressed', String(isShown));
    }
    name();
    // What is sent is never kept by the browser as a text that was typed.
    if (input.form) { input.form.addEventListener('submit', function () { input.type = 'password'; name(); }); }
    input.parentNode.insertBefore(button, input.nextSibling);
  }

  function holds(rule, value, list) {
    var low = value.toLowerCase();
    if (rule === 'length') { return value.length >= Number(list.querySelector('[data-least]').getAttribute('data-least')); }
    if (rule === 'classes') { return CLASSES.every(function (one) { return one.test(value); }); }
    if (rule === 'person') {
      var name = list.getAttribute('data-name');
      return low.indexOf(list.getAttribute('data-login').toLowerCase()) < 0 && (name.length < 2 || value.indexOf(name) < 0);
    }
    return null; // only the server knows which words are common
  }

  function watchRules(list) {
    var input = document.getElementById(list.getAttribute('data-of'));
    if (!input) { return; }
    input.addEventListener('input', show);
    show();
    function show() {
      Array.prototype.forEach.call(list.children, function (line) {
        var state = input.value ? holds(line.getAttribute('data-rule'), input.value, list) : null;
        line.className = state === null ? '' : state ? 'is-met' : 'is-unmet';
      });
    }
  }

  function start() {
    each('input[type="password"]', addEye);
    each('.password-rules', watchRules);
  }

  document.addEventListener('passwords', start);
  start();
}());
