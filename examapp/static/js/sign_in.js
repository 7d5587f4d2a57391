// While more people sign in than passwords can be checked, the page waits its turn and tries again by itself. What was typed stays after a rejection.
(function () {
  'use strict';
  var SILENCE_S = 5;
  var lobby = document.getElementById('lobby');
  var isFilledIn = false;
  if (!window.fetch || !window.URLSearchParams || !window.FormData || !window.DOMParser) {
    if (lobby) { window.setTimeout(function () { window.location.reload(); }, lobby.getAttribute('data-look-s') * 1000); }
    return;
  }

  document.addEventListener('submit', function (event) {
    if (!event.target.matches('form[data-waits]')) { return; }
    event.preventDefault();
    if (lobby) { waitForTurn(event.target); } else { send(event.target); }
  });
  if (lobby) { enterLobby(); }

  // In the lobby the form may be filled in; what was typed stays in the page until the turn.
  function enterLobby() {
    var form = document.querySelector('form[data-waits]');
    form.querySelector('fieldset').disabled = false;
    lobby.lastElementChild.textContent = '可以先填好下面的登录名和密码，点“登录”，轮到时自动登录。请不要关闭这个页面。';
    lookLater(lobby.getAttribute('data-look-s'));

    function lookLater(seconds) { window.setTimeout(look, seconds * 1000); }

    function look() {
      fetch(lobby.getAttribute('data-turn'), { credentials: 'same-origin' }).then(function (reply) {
        return reply.json();
      }).then(function (turn) {
        if (turn.wait_s === 0) { leaveLobby(form); return; }
        document.getElementById('lobby-text').textContent = turn.text;
        lookLater(turn.look_s);
      }).catch(function () { lookLater(SILENCE_S); });
    }
  }

  function waitForTurn(form) {
    var waitText = form.querySelector('.wait-text');
    isFilledIn = true;
    form.querySelector('button[type="submit"]').disabled = true;
    waitText.hidden = false;
    waitText.textContent = '已填好，轮到您时自动登录，请不要关闭页面。';
  }

  function leaveLobby(form) {
    var text = document.getElementById('lobby-text');
    lobby.firstElementChild.textContent = '轮到您了。';
    lobby.lastElementChild.hidden = true;
    lobby = null;
    if (isFilledIn) { text.textContent = '正在登录。'; send(form); } else { text.textContent = '请在 2 分钟内登录。'; }
  }

  function send(form) {
    var waitText = form.querySelector('.wait-text');
    var button = form.querySelector('button[type="submit"]');
    var options = {
      method: 'POST', credentials: 'same-origin', headers: { Accept: 'application/json' },
      body: new URLSearchParams(new FormData(form))
    };
    fetch(form.action, options).then(read, away);

    function read(reply) {
      if (reply.status === 503) {
        wait(Number(reply.headers.get('Retry-After')) || SILENCE_S, '登录的人较多，正在为您排队。');
      } else if (reply.status === 429) {
        return reply.text().then(function (html) { showOrWait(html, Number(reply.headers.get('Retry-After')) || SILENCE_S); });
      } else if (reply.status >= 500) {
        away();
      } else if ((reply.headers.get('Content-Type') || '').indexOf('application/json') === 0) {
        return reply.json().then(function (led) { window.location.assign(led.to); });
      } else {
        return reply.text().then(show);
      }
    }

    // The application's rejection has the form again; a proxy's has not, and passes.
    function showOrWait(html, seconds) {
      if (html.indexOf('data-waits') >= 0) { show(html); } else { wait(seconds, '登录的人较多，正在为您排队。'); }
    }

    function away() { wait(SILENCE_S, '暂时联系不上服务器。'); }

    function wait(seconds, why) {
      var left = seconds;
      waitText.hidden = false;
      tick();
      function tick() {
        button.disabled = true;
        waitText.textContent = why + (left > 0 ? '约 ' + left + ' 秒后自动再试' : '正在再试') + '，请不要关闭页面。';
        if (left <= 0) { send(form); return; }
        left -= 1;
        window.setTimeout(tick, 1000);
      }
    }
  }

  // A rejection is the same page with its words; whoever reads by ear is led to them.
  function show(html) {
    var page = new DOMParser().parseFromString(html, 'text/html').querySelector('main');
    var typed = document.querySelectorAll('form[data-waits] input:not([type="hidden"]):not([name="captcha"])');
    Array.prototype.forEach.call(typed, function (input) {
      var fresh = page.querySelector('form[data-waits] input[name="' + input.name + '"]');
      if (fresh) { fresh.value = input.value; }
    });
    document.querySelector('main').replaceWith(page);
    document.dispatchEvent(new Event('passwords'));
    var first = page.querySelector('[role="alert"]:not([hidden]), [aria-invalid="true"]');
    if (first) { first.focus(); }
  }
}());
