// The articles of a case's parts are unfolded where they stand beside the question, not below it.
(function () {
  'use strict';

  var room = window.matchMedia('(min-width: 1000px)');
  function fold() {
    Array.prototype.forEach.call(document.querySelectorAll('[data-unfold-beside] details'), function (folded) { folded.open = room.matches; });
  }
  fold();
  room.addListener(fold);
}());

// The editor: the preview follows the typing, a picture goes where the cursor was.
(function () {
  'use strict';

  var form = document.querySelector('form[data-preview]');
  if (!form || !window.fetch) { return; }
  var shown = document.querySelector('.preview-body');
  var pictureStatus = form.querySelector('.picture-text');
  var picker = form.querySelector('input[type="file"]');
  var area = null;
  var timer = 0;
  var turn = 0;

  function token() { return form.querySelector('input[name="csrf_token"]').value; }

  function refresh() {
    var mine = (turn += 1);
    var data = new FormData(form);
    data.delete('picture');
    fetch(form.getAttribute('data-preview'), { method: 'POST', body: data, credentials: 'same-origin', headers: { 'X-CSRFToken': token() } })
      .then(function (answer) { if (!answer.ok) { throw new Error('refused'); } return answer.text(); })
      .then(function (html) { if (mine === turn) { shown.innerHTML = html; } })
      .catch(function () { if (mine === turn) { shown.setAttribute('data-stale', ''); } });
  }

  form.addEventListener('input', function (event) {
    if (event.target === picker) { return; }
    window.clearTimeout(timer);
    timer = window.setTimeout(refresh, 500);
  });
  form.addEventListener('focusin', function (event) { if (event.target.tagName === 'TEXTAREA') { area = event.target; } });

  function insert(text) {
    var target = area || form.querySelector('textarea');
    var at = target.selectionStart === undefined ? target.value.length : target.selectionStart;
    target.value = target.value.slice(0, at) + text + target.value.slice(target.selectionEnd || at);
    target.focus();
    target.selectionStart = target.selectionEnd = at + text.length;
    refresh();
  }

  picker.addEventListener('change', function () {
    if (!picker.files.length) { return; }
    var data = new FormData();
    data.append('picture', picker.files[0]);
    pictureStatus.textContent = '正在上传图片';
    fetch(form.getAttribute('data-pictures'), { method: 'POST', body: data, credentials: 'same-origin', headers: { 'X-CSRFToken': token() } })
      .then(function (answer) { if (!answer.ok) { throw new Error('refused'); } return answer.json(); })
      .then(function (picture) {
        insert(form.querySelector('#is_html').checked ? picture.html : picture.mark);
        pictureStatus.textContent = '图片已放在光标处。';
        picker.value = '';
      })
      .catch(function () { pictureStatus.textContent = '图片没有传上。请换成 PNG、JPEG、GIF 或 WebP 格式、不超过 8 MB 的图片再试。'; picker.value = ''; });
  });
  form.querySelector('.upload-button').hidden = true;
}());
