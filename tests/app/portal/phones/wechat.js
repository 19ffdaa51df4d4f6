// WeChat's JS-SDK as its document describes it: options with success, fail and cancel, outcomes in errMsg.
(function () {
  var readies = [], errors = [];
  var ENDS = {
    deny: ["fail", "fail auth deny"], refuse: ["fail", "permission denied"], cancel: ["cancel", "cancel"],
    missing: ["fail", "fail, the function not exist"], fail: ["fail", "fail"]
  };
  var GOOD = {
    scanQRCode: { resultStr: "EAN_13,6901234567892" },
    chooseImage: { localIds: ["wxLocalResource://1", "wxLocalResource://2"], sourceType: "album" },
    getLocalImgData: { localData: "data:image/jgp;base64,/9j/4AAQSkZJRgABAQ==" },
    getLocation: { latitude: 23.1291, longitude: 113.2644, speed: 0, accuracy: 30 },
    chooseWXPay: {}, updateAppMessageShareData: {}, updateTimelineShareData: {}
  };
  var wx = window.wx = {
    config: function (given) {
      window.note("config", given);
      setTimeout(function () {
        if (window.plan.config === "silent") return;
        (window.plan.config === "fail" ? errors : readies).forEach(function (one) { one({ errMsg: "config:fail" }); });
      }, 5);
    },
    ready: function (then) { readies.push(then); },
    error: function (then) { errors.push(then); },
    closeWindow: function () { window.note("closeWindow"); },
    miniProgram: {
      getEnv: function (then) { setTimeout(function () { then({ miniprogram: MINI }); }, 1); },
      navigateTo: function (given) { window.note("navigateTo", given); },
      navigateBack: function (given) { window.note("navigateBack", given); },
      postMessage: function (given) { window.note("postMessage", given); }
    }
  };
  Object.keys(GOOD).forEach(function (name) {
    wx[name] = function (options) {
      var plan = window.plan[name] || "good";
      window.note(name, options);
      if (plan === "silent") return;
      setTimeout(function () {
        if (plan === "good") options.success(Object.assign({ errMsg: name + ":ok" }, GOOD[name]));
        else if (ENDS[plan]) options[ENDS[plan][0]]({ errMsg: name + ":" + ENDS[plan][1] });
        else options.success(Object.assign({ errMsg: name + ":ok" }, GOOD[name], plan));
      }, 1);
    };
  });
})();
