// The type size of study pages: the same setting as on the exam page, kept on the device.
(function () {
  'use strict';

  var SIZES = [100, 125, 150, 200];
  var KEY = 'setting:size';
  var bar = document.querySelector('[data-type-size]');

  function read() {
    try { return Number(window.localStorage.getItem(KEY)) || 100; } catch (error) { return 100; }
  }
  function keep(size) {
    try { window.localStorage.setItem(KEY, String(size)); } catch (error) { return; }
  }
  function apply(size) {
    SIZES.forEach(function (each) { document.documentElement.classList.toggle('size-' + each, each === size); });
    if (!bar) { return; }
    Array.prototype.forEach.call(bar.querySelectorAll('button'), function (button) {
      button.setAttribute('aria-pressed', String(Number(button.value) === size));
    });
  }

  apply(read());
  if (!bar) { return; }
  bar.hidden = false;
  bar.addEventListener('click', function (event) {
    var size = Number(event.target.value);
    if (SIZES.indexOf(size) < 0) { return; }
    keep(size);
    apply(size);
  });
}());
