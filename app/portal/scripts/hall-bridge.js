/* hall-bridge.js 1.0.0: one interface over WeChat, Alipay and plain browsers. See docs/channels/hall-bridge.md. */
(function (window, document) {
  "use strict";
  if (window.HallBridge) return;

  // Per function: n (the app's own), s (by web standards) or - in wechat, wechat-mini, alipay, alipay-mini, browser;
  // what people call it; seconds until it counts as hanging (0: a person may take any time); its chief option.
  var TABLE = {
    ready: ["nnnns", "连接手机功能", 10],
    ssoTicket: ["sssss", "登录", 20],
    setTitle: ["ssnss", "改标题", 5, "title"],
    close: ["nnnns", "关闭页面", 5],
    openLink: ["ssnss", "打开网页", 5, "url"],
    phoneCall: ["sssss", "拨打电话", 5, "number"],
    scan: ["nnn--", "扫码", 300],
    chooseImage: ["nnsss", "选取图片", 300],
    upload: ["sssss", "上传", 120, "url"],
    download: ["----s", "保存文件", 5, "url"],
    getLocation: ["nnnns", "定位", 20],
    share: ["nnnns", "分享", 300],
    pay: ["n-nn-", "付款", 600],
    toast: ["ssnss", "提示", 10, "text"],
    confirm: ["ssnss", "确认", 0, "text"],
    actionSheet: ["ssnss", "选择", 0, "items"]
  };
  var HOSTS = ["wechat", "wechat-mini", "alipay", "alipay-mini", "browser"];
  var HINTS = {
    scan: "请手动填写",
    download: "请点右上角“…”，在浏览器里打开本页",
    pay: "请在微信或支付宝里打开本页",
    close: "请直接关闭"
  };
  var SAID = {
    denied: "没有得到允许，请在手机设置里打开权限后再试。",
    cancelled: "已取消。"
  };
  var BAD_ADDRESS = "网址不对。";
  var APIS = ["chooseImage", "getLocalImgData", "getLocation", "scanQRCode", "closeWindow", "chooseWXPay",
    "updateAppMessageShareData", "updateTimelineShareData"];

  var navigator = window.navigator, location = window.location, agent = navigator.userAgent;
  var mini = window.__wxjs_environment === "miniprogram" || /miniprogram/i.test(agent);
  var host = /MicroMessenger/i.test(agent) ? "wechat" : /AlipayClient|AliApp\(AP/i.test(agent) ? "alipay" : "browser";
  if (mini && host !== "browser") host += "-mini";
  var version = (/(?:MicroMessenger|AlipayClient)\/([\d.]+)/.exec(agent) || [])[1] || "";
  var system = /iPhone|iPad|iPod/.test(agent) ? "ios" : /Android|Adr /.test(agent) ? "android" : "other";
  var script = document.currentScript || document.querySelector('script[src*="hall-bridge"]') || document.documentElement;
  var hall = script.getAttribute("data-hall") || (script.src || location.href).split("/").slice(0, 3).join("/");
  var sdk = false, state = 0, waiting = [], config = null, choosing = null;
  var query = splitQuery(), elder = styleOf(), ticket = takeTicket();

  function splitQuery() {
    return location.search.length > 1 ? location.search.slice(1).split("&") : [];
  }

  function valueOf(name) {
    for (var i = 0; i < query.length; i++) {
      if (query[i].indexOf(name + "=") === 0) return query[i].slice(name.length + 1);
    }
    return "";
  }

  // For this visit only, never in localStorage; some browsers refuse any storage.
  function note(name, value) {
    try {
      if (value === undefined) return window.sessionStorage.getItem(name);
      window.sessionStorage.setItem(name, value);
    } catch (e) { /* then each page stands for itself */ }
  }

  function styleOf() {
    var given = valueOf("style");
    if (given) note("hall-style", given);
    return (given || note("hall-style")) === "elder";
  }

  // A ticket must not stay in the address: it would be shared, kept in histories and sent as a referrer.
  function takeTicket() {
    var found = valueOf("hall_ticket"), rest = [], i;
    if (!found) return "";
    for (i = 0; i < query.length; i++) if (query[i].indexOf("hall_ticket=") !== 0) rest.push(query[i]);
    query = rest;
    window.history.replaceState(window.history.state, "",
      location.pathname + (rest.length ? "?" + rest.join("&") : "") + location.hash);
    return found;
  }

  function supports(name, where) {
    var how = TABLE.hasOwnProperty(name) ? TABLE[name][0].charAt(HOSTS.indexOf(where || host)) : "";
    return how === "n" ? "native" : how === "s" ? "standard" : "";
  }

  function failure(name, code, words, cause) {
    var label = TABLE[name][1];
    var error = new Error(words || SAID[code] ||
      (code === "unsupported" ? "这里不能" + label + (HINTS[name] ? "，" + HINTS[name] : "") + "。"
        : code === "timeout" ? label + "等得太久，请再试一次。" : label + "没有成功，请稍后再试。"));
    error.code = code;
    error.cause = cause;
    return error;
  }

  function define(name, work) {
    api[name] = function (options) {
      var chief = TABLE[name][3], o = options;
      if (chief && (typeof o === "string" || o instanceof Array)) (o = {})[chief] = options;
      o = o || {};
      function run(resolve, reject) {
        var over = false, seconds = o.timeout ? o.timeout / 1000 : TABLE[name][2];
        function end(settle, told, value) {
          if (over) return;
          over = true;
          clearTimeout(timer);
          if (told) told(value);
          if (o.complete) o.complete();
          settle(value);
        }
        function ok(value) { end(resolve, o.success, value); }
        function no(code, words, cause) { end(reject, o.fail, failure(name, code, words, cause)); }
        var timer = seconds ? setTimeout(function () { no("timeout"); if (no.stop) no.stop(); }, seconds * 1000) : 0;
        if (!supports(name)) return no("unsupported");
        try { work(o, ok, no); } catch (e) { no("failed", "", e); }
      }
      if (window.Promise && !o.success && !o.fail && !o.complete) return new window.Promise(run);
      run(nothing, nothing);
    };
  }

  function nothing() {}

  // Answers of the apps that say nothing but that it is done.
  function quiet(ok) { return function () { ok(); }; }

  function told(ok, state) { return function () { ok({ state: state }); }; }

  // ---- the apps' own interfaces ----

  function whenReady(then) {
    if (state === 2) return then();
    waiting.push(then);
    if (state) return;
    state = 1;
    var timer = setTimeout(function () { done(false); }, 8000);
    function done(good) {
      if (state !== 1) return;
      state = 2;
      sdk = good;
      clearTimeout(timer);
      for (var all = waiting.splice(0), i = 0; i < all.length; i++) all[i]();
    }
    if (!host.indexOf("wechat")) readyWechat(done);
    else if (host === "alipay") {
      if (window.AlipayJSBridge) done(true);
      else document.addEventListener("AlipayJSBridgeReady", function () { done(true); }, false);
    } else done(host === "browser" || !!window.my);
  }

  function readyWechat(done) {
    var wx = window.wx;
    if (!wx || !wx.config) return done(false);
    if (wx.miniProgram && wx.miniProgram.getEnv) {
      wx.miniProgram.getEnv(function (r) { if (r && r.miniprogram) host = "wechat-mini"; });
    }
    fetchConfig(function (c) {
      var given = c && c.signature;
      if (!given) return done(false);
      wx.ready(function () { done(true); });
      wx.error(function () { done(false); });
      wx.config({
        debug: false, appId: given.app_id, timestamp: given.timestamp, nonceStr: given.nonce,
        signature: given.signature, jsApiList: APIS
      });
    });
  }

  function fetchConfig(then) {
    var page = location.href.split("#")[0], request = new XMLHttpRequest();
    if (config && config.url === page) return then(config);
    request.onload = function () {
      try { config = request.status === 200 ? JSON.parse(request.responseText) : null; } catch (e) { config = null; }
      if (config) config.url = page;
      then(config);
    };
    request.onerror = function () { then(null); };
    request.open("GET", hall + "/api/v1/bridge/config?client=" + host + "&url=" + encodeURIComponent(page));
    request.send();
  }

  function wechatCode(text) {
    return /cancel/.test(text) ? "cancelled" : /den(y|ied)|permission|auth/.test(text) ? "denied"
      : /not.exist|not.support|unsupport/.test(text) ? "unsupported" : /time ?out/.test(text) ? "timeout" : "failed";
  }

  function wechat(name, options, ok, no) {
    whenReady(function () {
      var wx = window.wx;
      if (!sdk || !wx[name]) return no("unsupported");
      options.success = ok;
      options.cancel = function (r) { no("cancelled", "", r); };
      options.fail = function (r) { no(wechatCode((r && r.errMsg || "").replace(/^\w+:/, "").toLowerCase()), "", r); };
      wx[name](options);
    });
  }

  // 11 means something else in every function.
  function alipayCode(error, eleven) {
    return { 1: "unsupported", 4: "denied", 10: "cancelled", 11: eleven, 14: "timeout", 2001: "denied" }[error] || "failed";
  }

  function alipay(name, options, ok, no, eleven) {
    whenReady(function () {
      function heard(r) {
        r = r || {};
        if (+r.error) no(alipayCode(+r.error, eleven), "", r);
        else ok(r);
      }
      if (host === "alipay") {
        if (!window.AlipayJSBridge) return no("unsupported");
        return window.AlipayJSBridge.call(name, options, heard);
      }
      if (!window.my || !window.my[name]) return no("unsupported");
      options.success = heard;
      options.fail = function (r) { heard(r && +r.error ? r : { error: 3 }); };
      window.my[name](options);
    });
  }

  // ---- the functions ----

  function env() {
    return { host: host, version: version, sdk: sdk, system: system };
  }

  var api = window.HallBridge = {
    version: "1.0.0",
    env: env,
    supports: supports,
    uiStyle: function () { return elder ? "elder" : "standard"; }
  };

  define("ready", function (o, ok) {
    // An address that a script changed must be signed anew; iPhones keep to the one the page was opened with.
    if (o.again && state === 2 && system !== "ios") state = 0;
    whenReady(function () { ok(env()); });
  });

  define("ssoTicket", function (o, ok, no) {
    var found = ticket, asked = note("hall-sso");
    ticket = "";
    note("hall-sso", "");
    // A ticket nobody asked for may be a stranger's: who follows such a link would act in the stranger's name.
    if (found && (asked || mini)) return ok(found);
    if (asked) return no("cancelled", "没有登录。");
    fetchConfig(function (c) {
      if (!c) return no("failed", "这个网页没有登记，不能登录。");
      note("hall-sso", "1");
      if (!note("hall-sso")) return no("failed", "请退出无痕模式。");
      location.assign(c.sso_url + "?return_to=" + encodeURIComponent(location.href));
    });
  });

  define("setTitle", function (o, ok, no) {
    document.title = o.title;
    if (host === "alipay") alipay("setTitle", { title: o.title }, quiet(ok), no);
    else ok();
  });

  // What a page inside a mini program may call there.
  function miniApp() {
    return host === "alipay-mini" ? window.my : host === "wechat-mini" && window.wx && window.wx.miniProgram;
  }

  define("close", function (o, ok, no) {
    var wx = window.wx, app = miniApp();
    if (host === "alipay") return alipay("popWindow", {}, quiet(ok), no);
    if (app) app.navigateBack();
    else if (host === "wechat" && wx && wx.closeWindow) wx.closeWindow();
    else if (window.history.length > 1) window.history.back();
    else {
      window.close();
      return setTimeout(function () { if (window.closed) ok(); else no("unsupported"); }, 300);
    }
    ok();
  });

  function webAddress(text) {
    var a = document.createElement("a");
    a.href = text;
    return text && /^https?:$/.test(a.protocol) ? a.href : "";
  }

  define("openLink", function (o, ok, no) {
    var app = o.path && miniApp(), url = webAddress(o.url);
    if (!app && !url) return no("failed", BAD_ADDRESS);
    if (host === "alipay") return alipay("pushWindow", { url: url }, quiet(ok), no);
    if (app) app.navigateTo({ url: o.path });
    else location.assign(url);
    ok();
  });

  function press(href, download) {
    var a = document.createElement("a");
    a.href = href;
    if (download !== undefined) a.download = download;
    a.style.display = "none";
    document.body.appendChild(a);
    a.click();
    document.body.removeChild(a);
  }

  define("phoneCall", function (o, ok, no) {
    var digits = String(o.number).replace(/[\s()-]/g, "");
    if (!/^\+?[\d*#,]{3,20}$/.test(digits)) return no("failed", "电话号码不对。");
    press("tel:" + digits);
    ok();
  });

  define("scan", function (o, ok, no) {
    var kind = o.type === "bar" ? "bar" : "qr";
    if (host === "alipay") {
      return alipay("scan", { type: kind }, function (r) {
        ok({ text: r.qrCode || r.barCode || r.codeContent || "", type: r.barCode ? "bar" : "qr" });
      }, no, "failed");
    }
    wechat("scanQRCode", { needResult: 1, scanType: o.type ? [kind + "Code"] : ["qrCode", "barCode"] }, function (r) {
      // A bar code comes with its kind before it: EAN_13,6901234567892.
      var bar = /^[A-Z]+_\w+,(.*)$/.exec(r.resultStr);
      ok({ text: bar ? bar[1] : r.resultStr, type: bar ? "bar" : "qr" });
    }, no);
  });

  function blobOf(base64) {
    var raw = window.atob(base64), i = raw.length, bytes = new window.Uint8Array(i);
    while (i--) bytes[i] = raw.charCodeAt(i);
    return new window.Blob([bytes], { type: "image/jpeg" });
  }

  define("chooseImage", function (o, ok, no) {
    if (host.indexOf("wechat")) return pick(o, ok, no);
    whenReady(function () {
      if (!sdk) return pick(o, ok, no);
      wechat("chooseImage", {
        count: o.count || 1, sizeType: [o.compress === false ? "original" : "compressed"],
        sourceType: o.camera ? ["camera"] : ["album", "camera"]
      }, function (r) { readLocal(r.localIds.slice(), [], o, ok, no); }, no);
    });
  });

  function readLocal(ids, images, o, ok, no) {
    if (!ids.length) return ok({ images: images });
    wechat("getLocalImgData", { localId: ids.shift() }, function (r) {
      // Android leaves out the head of the data address, iOS misspells jpeg in it.
      images.push(blobOf(r.localData.replace(/^data:[^,]*,/, "").replace(/\s/g, "")));
      readLocal(ids, images, o, ok, no);
    }, no);
  }

  function pick(o, ok, no) {
    var input = document.createElement("input");
    if (choosing) choosing("cancelled");
    choosing = no;
    input.type = "file";
    input.accept = "image/*";
    input.multiple = o.count > 1;
    input.style.display = "none";
    if (o.camera) input.setAttribute("capture", "environment");
    function left() {
      var files = [].slice.call(input.files, 0, o.count || 1);
      document.body.removeChild(input);
      choosing = input.onchange = input.oncancel = null;
      if (files.length) shrink(files, [], o, ok);
      else no("cancelled");
    }
    input.onchange = left;
    input.addEventListener("cancel", left, false);
    document.body.appendChild(input);
    input.click();
  }

  function shrink(files, images, o, ok) {
    var file = files.shift(), edge = o.maxEdge || 1600;
    if (!file) return ok({ images: images });
    function next(blob) {
      images.push(blob && blob.size < file.size ? blob : file);
      shrink(files, images, o, ok);
    }
    if (o.compress === false || !window.createImageBitmap) return next();
    // Not by an <img>: a page's content policy may forbid it to show blobs.
    window.createImageBitmap(file).then(function (bitmap) {
      var scale = Math.min(1, edge / Math.max(bitmap.width, bitmap.height)), canvas = document.createElement("canvas");
      canvas.width = Math.round(bitmap.width * scale);
      canvas.height = Math.round(bitmap.height * scale);
      canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(next, "image/jpeg", o.quality || 0.8);
    }).then(null, function () { next(); });
  }

  define("upload", function (o, ok, no) {
    var form = new window.FormData(), request = new XMLHttpRequest(), url = webAddress(o.url), name;
    if (!url) return no("failed", BAD_ADDRESS);
    for (name in o.fields) form.append(name, o.fields[name]);
    form.append(o.name || "file", o.file, o.fileName || o.file.name || "image.jpg");
    if (o.onProgress && request.upload) {
      request.upload.onprogress = function (e) { if (e.lengthComputable) o.onProgress(e.loaded / e.total); };
    }
    request.onload = function () {
      var answer = { status: request.status, body: request.responseText };
      if (request.status > 199 && request.status < 300) ok(answer);
      else no("failed", request.status === 413 ? "文件太大，请换小一些的。" : "", answer);
    };
    request.onerror = function () { no("failed", "网络不通，请稍后再试。"); };
    request.onabort = function () { no("cancelled"); };
    no.stop = function () { request.abort(); };
    request.open("POST", url);
    for (name in o.headers) request.setRequestHeader(name, o.headers[name]);
    request.send(form);
  });

  define("download", function (o, ok, no) {
    var url = webAddress(o.url);
    if (!url) return no("failed", BAD_ADDRESS);
    press(url, o.name || "");
    ok();
  });

  define("getLocation", function (o, ok, no) {
    function found(system) {
      return function (r) {
        ok({ latitude: +r.latitude, longitude: +r.longitude, accuracy: +r.accuracy || null, system: system });
      };
    }
    function standard() {
      if (!navigator.geolocation) return no("unsupported");
      navigator.geolocation.getCurrentPosition(function (p) { found("wgs84")(p.coords); }, function (e) {
        no(["", "denied", "failed", "timeout"][e.code] || "failed", "", e);
      }, { enableHighAccuracy: !!o.precise, timeout: 15000, maximumAge: 60000 });
    }
    if (host === "browser") return standard();
    if (/^alipay/.test(host)) {
      // Alipay knows one system only, whatever was asked for.
      return alipay(host === "alipay" ? "getCurrentLocation" : "getLocation", { requestType: 0 }, found("gcj02"), no, "denied");
    }
    whenReady(function () {
      var system = o.system === "wgs84" ? "wgs84" : "gcj02";
      if (sdk) wechat("getLocation", { type: system }, found(system), no);
      else standard();
    });
  });

  define("share", function (o, ok, no) {
    var title = o.title || document.title, text = o.text || "", image = o.image || "", app = miniApp();
    var link = webAddress(o.url || location.href.split("#")[0]), content = { title: title, desc: text, link: link, imgUrl: image };
    // WeChat, and the mini program around a page, share only when somebody presses their own button.
    var prepared = told(ok, "prepared"), shared = told(ok, "shared");
    if (app) {
      app.postMessage(host === "wechat-mini" ? { data: { hallShare: content } } : { hallShare: content });
      return prepared();
    }
    if (host === "wechat") {
      return wechat("updateAppMessageShareData", content, function () {
        wechat("updateTimelineShareData", content, prepared, no);
      }, no);
    }
    if (host === "alipay") {
      return alipay("startShare", {
        bizType: "hall",
        channels: [{ name: "ALPContact", param: { contentType: "url", title: title, content: text, iconUrl: image, url: link } }]
      }, shared, no, "cancelled");
    }
    if (navigator.share) {
      return navigator.share({ title: title, text: text, url: link }).then(shared, function (e) {
        no({ AbortError: "cancelled", NotAllowedError: "denied" }[e.name] || "failed", "", e);
      });
    }
    no("unsupported");
  });

  define("pay", function (o, ok, no) {
    // Whether money came is for the page's server to ask; a phone can be told anything.
    if (host === "wechat") return wechat("chooseWXPay", o.wechat, told(ok, "paid"), no);
    alipay("tradePay", o.alipay, function (r) {
      var code = +r.resultCode;
      if (code === 9000) told(ok, "paid")();
      else if (code === 8000 || code === 6004) told(ok, "pending")();
      else no(code === 6001 || code === 99 ? "cancelled" : "failed", "", r);
    }, no, "failed");
  });

  // ---- what the page itself shows ----

  function element(tag, parent, style, text) {
    var made = document.createElement(tag);
    // Through the object model, which content policies allow; an attribute they would not.
    made.style.cssText = style;
    if (text) made.appendChild(document.createTextNode(text));
    if (parent) parent.appendChild(made);
    return made;
  }

  var LOOK = "position:fixed;z-index:2147483647;line-height:1.5;font-size:" + (elder ? 24 : 18) + "px;";

  define("toast", function (o, ok, no) {
    var seconds = o.seconds || (elder ? 5 : 3), shown;
    if (host === "alipay") return alipay("toast", { content: o.text, duration: seconds * 1000 }, quiet(ok), no);
    shown = element("div", document.body, LOOK + "left:8%;right:8%;bottom:20%;padding:16px;text-align:center;border-radius:8px;background:#1f2329;color:#fff");
    shown.setAttribute("role", "status");
    // Readers speak what changes in a status, not what it came with.
    setTimeout(function () { shown.appendChild(document.createTextNode(o.text)); }, 30);
    setTimeout(function () { document.body.removeChild(shown); }, seconds * 1000);
    ok();
  });

  function dialog(title, text, buttons, chosen) {
    var before = document.activeElement, made = [], i;
    var cover = element("div", document.body, LOOK + "left:0;right:0;bottom:0;top:0;background:rgba(0,0,0,.55)");
    var box = element("div", cover, "position:absolute;left:0;right:0;bottom:0;max-height:90%;overflow:auto;padding:20px;background:#fff;color:#1f2329");
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-modal", "true");
    box.setAttribute("aria-label", title || text);
    if (title) element("div", box, "font-weight:bold", title);
    if (text) element("div", box, "", text);
    function choose(at) {
      return function () {
        document.removeEventListener("keydown", keys, true);
        document.body.removeChild(cover);
        if (before && before.focus) before.focus();
        chosen(at);
      };
    }
    function keys(e) {
      if (e.keyCode === 27) choose(buttons.length - 1)();
      if (e.keyCode === 9) {
        e.preventDefault();
        for (i = made.length - 1; i > 0 && made[i] !== document.activeElement;) i--;
        made[(i + (e.shiftKey ? made.length - 1 : 1)) % made.length].focus();
      }
    }
    for (i = 0; i < buttons.length; i++) {
      made[i] = element("button", box, "display:block;width:100%;margin-top:12px;padding:16px;border:1px solid #0b4f8a;border-radius:8px;font:inherit;" + (i === buttons.length - 1 ? "background:#fff;color:#0b4f8a" : "background:#0b4f8a;color:#fff"), buttons[i]);
      made[i].type = "button";
      made[i].onclick = choose(i);
    }
    document.addEventListener("keydown", keys, true);
    made[0].focus();
  }

  define("confirm", function (o, ok, no) {
    var yes = o.ok || "确定", cancel = o.cancel || "取消";
    if (host !== "alipay") return dialog(o.title, o.text, [yes, cancel], function (at) { ok(at === 0); });
    alipay("confirm", { title: o.title || "", message: o.text, okButton: yes, cancelButton: cancel }, function (r) { ok(!!r.ok); }, no);
  });

  define("actionSheet", function (o, ok, no) {
    function chosen(at) { if (at >= 0 && at < o.items.length) ok(at); else no("cancelled"); }
    if (host !== "alipay") return dialog(o.title || "请选择", "", o.items.concat("取消"), chosen);
    alipay("actionSheet", { title: o.title || "", btns: o.items, cancelBtn: "取消" }, function (r) { chosen(+r.index); }, no);
  });
})(window, document);
