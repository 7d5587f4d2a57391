// A scanned ticket brings its code behind the #: put it into the field, and out of the address.
(function () {
  'use strict';
  var field = document.getElementById('code');
  var code = window.location.hash.slice(1);
  if (field && /^[0-9A-Za-z]{12}$/.test(code)) {
    field.value = code.match(/.{4}/g).join(' ');
    window.history.replaceState(null, '', window.location.pathname);
  }
}());
