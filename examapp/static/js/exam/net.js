// One way to call the server: a time limit on every call, the token renewed when it is refused, the sign-in renewed on the page.
(function (exam) {
  'use strict';

  var LIMIT_MS = 10000;
  var API = '/api/v1';

  // Pauses that grow and differ from page to page; short enough that a returning network is noticed within ten seconds.
  exam.pauseAfter = function (failures) {
    var steps = [800, 1500, 3000, 5000, 6500];
    return steps[Math.min(failures, steps.length) - 1] * (0.65 + Math.random() * 0.6);
  };

  exam.createNet = function (clock, token) {
    var csrf = token;
    var signingIn = null;
    var askToSignIn = function () { return Promise.reject(new Error('no sign-in')); };

    function send(method, path, body) {
      var stop = new window.AbortController();
      var timer = window.setTimeout(function () { stop.abort(); }, LIMIT_MS);
      var options = {
        method: method, credentials: 'same-origin', cache: 'no-store', redirect: 'error', signal: stop.signal,
        headers: { Accept: 'application/json' }
      };
      if (method !== 'GET') {
        options.headers['X-CSRFToken'] = csrf;
        options.headers['Content-Type'] = 'application/json';
        options.body = JSON.stringify(body || {});
      }
      var sentAt = clock.mono();
      return window.fetch(API + path, options).then(function (response) {
        return response.text().then(function (text) { return answerOf(response, text, sentAt); });
      }).then(function (answer) {
        window.clearTimeout(timer);
        return answer;
      }, function (error) {
        window.clearTimeout(timer);
        throw error;
      });
    }

    function answerOf(response, text, sentAt) {
      var value = null;
      if (text) {
        // A page instead of JSON is a proxy's or a login wall's word, not the server's.
        try { value = JSON.parse(text); } catch (error) { if (response.ok) { throw error; } }
      }
      if (value && value.server_time) { clock.note(value.server_time, sentAt, clock.mono()); }
      var wait = Number(response.headers.get('Retry-After'));
      return { status: response.status, body: value || {}, waitMs: wait > 0 ? wait * 1000 : 0 };
    }

    function renewToken() {
      return send('GET', '/session').then(function (answer) {
        if (answer.status === 200) { csrf = answer.body.csrf_token; }
        return answer;
      });
    }

    function renewSignIn() {
      if (!signingIn) {
        signingIn = askToSignIn().then(function () { signingIn = null; }, function (error) { signingIn = null; throw error; });
      }
      return signingIn;
    }

    // Gives the answer whatever its status; fails only where no word of the server came.
    function call(method, path, body, isRepeat) {
      return send(method, path, body).then(function (answer) {
        if (answer.status === 401) {
          return renewSignIn().then(function () { return call(method, path, body, isRepeat); });
        }
        if (answer.status === 403 && answer.body.error === 'csrf_failed' && !isRepeat) {
          return renewToken().then(function (renewed) {
            if (renewed.status !== 401) { return call(method, path, body, true); }
            return renewSignIn().then(function () { return call(method, path, body, true); });
          });
        }
        return answer;
      });
    }

    function signIn(loginName, password) {
      var body = { login_name: loginName, password: password };
      return send('POST', '/session', body).then(function (answer) {
        if (answer.status === 200) { csrf = answer.body.csrf_token; }
        return answer;
      });
    }

    return {
      call: call,
      signIn: signIn,
      renewToken: renewToken,
      isSigningIn: function () { return Boolean(signingIn); },
      whenSignedOut: function (ask) { askToSignIn = ask; }
    };
  };
}(window.ExamPage = window.ExamPage || {}));
