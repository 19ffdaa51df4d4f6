// Alipay's bridge as its document describes it: it comes late, and outcomes are numbers in "error".
setTimeout(function () {
  var GOOD = {
    scan: { qrCode: "https://q.example.cn/1", codeContent: "https://q.example.cn/1" },
    getCurrentLocation: { latitude: "23.1291", longitude: "113.2644", accuracy: 40 },
    tradePay: { resultCode: "9000" }, confirm: { ok: true }, actionSheet: { index: 1 }
  };
  window.AlipayJSBridge = {
    call: function (name, options, then) {
      var plan = window.plan[name];
      window.note(name, options);
      if (plan === "silent") return;
      setTimeout(function () { then(typeof plan === "object" ? plan : GOOD[name] || {}); }, 1);
    }
  };
  document.dispatchEvent(new Event("AlipayJSBridgeReady"));
}, 20);
