// The exam's form: add and remove rows, show a field only where another one's choice asks for it.
(function () {
  'use strict';

  var form = document.getElementById('exam-form');
  if (!form) { return; }
  var each = Array.prototype.forEach;

  function toggle() {
    each.call(form.querySelectorAll('[data-shown-by]'), function (part) {
      var chosen = form.elements[part.getAttribute('data-shown-by')].value;
      part.hidden = chosen !== part.getAttribute('data-shown-for');
    });
  }

  each.call(form.querySelectorAll('.row-add'), function (button) {
    var rows = document.getElementById(button.getAttribute('data-rows'));
    var template = document.getElementById(button.getAttribute('data-template'));
    var next = rows.children.length;
    button.hidden = false;
    button.addEventListener('click', function () {
      var holder = document.createElement('div');
      holder.innerHTML = template.innerHTML.replace(/NUMBER/g, String(next));
      next += 1;
      var row = holder.querySelector('.row-set');
      rows.appendChild(row);
      row.querySelector('input, select').focus();
    });
  });

  form.addEventListener('click', function (event) {
    if (!event.target.classList.contains('row-remove')) { return; }
    var row = event.target.parentNode;
    row.parentNode.removeChild(row);
  });

  form.addEventListener('change', toggle);
  toggle();
}());
