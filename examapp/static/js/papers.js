// The blueprint editor: add and remove sections, add names from the bank, keep the totals live.
(function () {
  'use strict';

  var form = document.getElementById('blueprint-form');
  if (!form) { return; }
  var list = document.getElementById('sections');
  var template = document.getElementById('empty-section');
  var maxSections = 20;
  var next = list.children.length;

  function cents(text) {
    var value = Math.round(parseFloat(text) * 100);
    return value > 0 ? value : 0;
  }

  function written(value) { return String(value / 100); }

  function named(section, name) { return section.querySelector('[name$="-' + name + '"]'); }

  function renew() {
    var questions = 0;
    var total = 0;
    var hasCase = false;
    Array.prototype.forEach.call(list.children, function (section, index) {
      var count = parseInt(named(section, 'count').value, 10) || 0;
      var sum = count * cents(named(section, 'points_each').value);
      var isCase = named(section, 'kind').value === 'case';
      hasCase = hasCase || isCase;
      Array.prototype.forEach.call(section.querySelectorAll('[data-kinds]'), function (box) {
        box.hidden = box.getAttribute('data-kinds').split(' ').indexOf(named(section, 'kind').value) < 0;
      });
      questions += count;
      total += sum;
      section.querySelector('.section-number').textContent = index + 1;
      section.querySelector('fieldset').setAttribute('aria-label', '第 ' + (index + 1) + ' 部分');
      var points = isCase ? '按小题' : written(sum) + ' 分';
      section.querySelector('.section-total').textContent = points;
      section.querySelector('.section-sum').textContent = [named(section, 'title').value, count + ' 题', points].join('　');
      section.querySelector('.section-remove').hidden = list.children.length < 2;
      if (isCase) { total -= sum; }
    });
    document.getElementById('question-total').textContent = questions;
    document.getElementById('points-total').textContent = written(total) + (hasCase ? ' + 案例题' : '');
    document.getElementById('case-note').hidden = !hasCase;
    document.getElementById('add-section').hidden = list.children.length >= maxSections;
  }

  document.getElementById('add-section').addEventListener('click', function () {
    var holder = document.createElement('div');
    holder.innerHTML = template.innerHTML.replace(/NUMBER/g, String(next));
    next += 1;
    var section = holder.querySelector('.section');
    list.appendChild(section);
    renew();
    named(section, 'title').focus();
  });

  form.addEventListener('click', function (event) {
    if (!event.target.classList.contains('section-remove')) { return; }
    list.removeChild(event.target.closest('.section'));
    renew();
    document.getElementById('add-section').focus();
  });

  form.addEventListener('input', renew);
  form.addEventListener('change', function (event) {
    var chooser = event.target;
    if (chooser.classList.contains('add-name') && chooser.value) {
      var target = document.getElementById(chooser.getAttribute('data-target'));
      var names = target.value.split(/[\r\n、，,；;]+/).filter(function (name) { return name; });
      if (names.indexOf(chooser.value) < 0) { names.push(chooser.value); }
      target.value = names.join('\n');
      chooser.value = '';
    }
    renew();
  });

  renew();
}());
