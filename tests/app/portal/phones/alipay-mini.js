// What Alipay's web-view script gives a page inside a mini program.
(function () {
  var GOOD = { getLocation: { latitude: "23.1291", longitude: "113.2644", accuracy: "40" }, tradePay: { resultCode: "9000" } };
  window.my = {
    getEnv: function (then) { then({ miniprogram: true }); },
    navigateTo: function (given) { window.note("navigateTo", given); },
    navigateBack: function (given) { window.note("navigateBack", given); },
    postMessage: function (given) { window.note("postMessage", given); }
  };
  Object.keys(GOOD).forEach(function (name) {
    window.my[name] = function (options) {
      var plan = window.plan[name];
      window.note(name, options);
      if (plan === "silent") return;
      setTimeout(function () {
        if (plan && plan.error) options.fail(plan);
        else options.success(plan || GOOD[name]);
      }, 1);
    };
  });
})();
