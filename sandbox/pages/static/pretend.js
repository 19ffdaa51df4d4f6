"use strict";
// Lets this browser pretend to be WeChat or Alipay: /qiao/?as=wechat. The apps' own objects answer after a
// short while, as the phone would; what a person does there is asked with a plain question.
(() => {
  const place = new URLSearchParams(location.search).get("as") || "browser";
  const agents = {
    wechat: "Mozilla/5.0 (Linux; Android 10) MicroMessenger/8.0.16.2040 WeChat/arm64",
    "wechat-mini": "Mozilla/5.0 (Linux; Android 10) MicroMessenger/8.0.16.2040 WeChat/arm64 miniProgram/wxsandbox",
    alipay: "Mozilla/5.0 (Linux; Android 10) AliApp(AP/10.5.36.8100) AlipayClient/10.5.36.8100",
    "alipay-mini": "Mozilla/5.0 (Linux; Android 10) AliApp(AP/10.5.36.8100) AlipayClient/10.5.36.8100 MiniProgram",
  };
  if (!agents[place]) return;
  Object.defineProperty(navigator, "userAgent", { get: () => agents[place] });

  const soon = (then) => setTimeout(then, 300);
  const picture = () => {
    const canvas = document.createElement("canvas");
    canvas.width = 320;
    canvas.height = 200;
    const paint = canvas.getContext("2d");
    paint.fillStyle = "#0b4f8a";
    paint.fillRect(0, 0, 320, 200);
    paint.fillStyle = "#fff";
    paint.font = "24px sans-serif";
    paint.fillText("模拟手机的照片", 70, 108);
    return canvas.toDataURL("image/jpeg");
  };

  if (place.startsWith("wechat")) {
    const readies = [];
    const answers = {
      scanQRCode: () => ({ resultStr: "EAN_13,6901234567892" }),
      chooseImage: () => ({ localIds: ["wxLocalResource://sandbox"] }),
      getLocalImgData: () => ({ localData: picture() }),
      getLocation: () => ({ latitude: 23.1291, longitude: 113.2644, accuracy: 30 }),
      chooseWXPay: () => ({}),
      updateAppMessageShareData: () => ({}),
      updateTimelineShareData: () => ({}),
    };
    window.wx = {
      config: () => soon(() => readies.forEach((one) => one())),
      ready: (then) => readies.push(then),
      error: () => {},
      closeWindow: () => history.back(),
      miniProgram: {
        getEnv: (then) => then({ miniprogram: place === "wechat-mini" }),
        navigateTo: () => {},
        navigateBack: () => history.back(),
        postMessage: () => {},
      },
    };
    Object.entries(answers).forEach(([name, answer]) => {
      window.wx[name] = (options) => soon(() => options.success({ errMsg: `${name}:ok`, ...answer() }));
    });
    return;
  }

  const answers = {
    scan: { qrCode: "https://sandbox.example.cn/1" },
    getCurrentLocation: { latitude: "23.1291", longitude: "113.2644", accuracy: 40 },
    getLocation: { latitude: "23.1291", longitude: "113.2644", accuracy: "40" },
    tradePay: { resultCode: "9000" },
    confirm: { ok: true },
    actionSheet: { index: 0 },
  };
  if (place === "alipay") {
    soon(() => {
      window.AlipayJSBridge = { call: (name, options, then) => soon(() => then(answers[name] || {})) };
      document.dispatchEvent(new Event("AlipayJSBridgeReady"));
    });
    return;
  }
  window.my = {
    getEnv: (then) => then({ miniprogram: true }),
    navigateTo: () => {},
    navigateBack: () => history.back(),
    postMessage: () => {},
    getLocation: (options) => soon(() => options.success(answers.getLocation)),
    tradePay: (options) => soon(() => options.success(answers.tradePay)),
  };
})();
