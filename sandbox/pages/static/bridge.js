"use strict";
// A department's page that tries every function of hall-bridge.js.
(() => {
  const bridge = window.HallBridge;
  const result = document.getElementById("result");
  const pictures = document.getElementById("pictures");
  const places = {
    wechat: "微信", "wechat-mini": "微信小程序内", alipay: "支付宝", "alipay-mini": "支付宝小程序内", browser: "浏览器",
  };
  if (!bridge) {
    result.textContent = "没有取得网页桥：请确认大厅正在运行。";
    return;
  }

  let chosen = null;
  const tries = [
    ["scan", "扫码", () => bridge.scan()],
    ["chooseImage", "选取图片", () => bridge.chooseImage({ count: 1 }).then(show)],
    ["upload", "上传刚选的图片", () => bridge.upload({ url: "/qiao/upload", file: chosen, onProgress: progress })],
    ["download", "保存文件", () => bridge.download({ url: "/qiao/form.txt", name: "申请表.txt" })],
    ["getLocation", "定位", () => bridge.getLocation()],
    ["share", "分享", () => bridge.share({ title: document.title, text: "一套写法，三处都能用" })],
    ["pay", "付款", () => bridge.pay({ wechat: { timestamp: "1", nonceStr: "n", package: "prepay_id=sandbox", signType: "RSA", paySign: "s" }, alipay: { tradeNO: "sandbox" } })],
    ["ssoTicket", "登录", signIn],
    ["phoneCall", "拨打热线", () => bridge.phoneCall("020-12345")],
    ["toast", "提示", () => bridge.toast("已保存")],
    ["confirm", "确认", () => bridge.confirm({ text: "要提交申请吗？", ok: "提交", cancel: "再看看" })],
    ["actionSheet", "选择", () => bridge.actionSheet({ title: "选一个窗口", items: ["越秀区", "天河区", "海珠区"] })],
    ["setTitle", "改标题", () => bridge.setTitle("新的标题")],
    ["openLink", "打开网页", () => bridge.openLink("/huzheng/")],
    ["close", "关闭页面", () => bridge.close()],
  ];

  // Signing in leaves the page and comes back; a real page would hand the ticket to its own server.
  function signIn() {
    sessionStorage.setItem("signing-in", "1");
    return bridge.ssoTicket().then((ticket) => {
      sessionStorage.removeItem("signing-in");
      return { 票据: `${ticket.slice(0, 6)}……`, 有效: "60 秒内一次" };
    });
  }

  function say(name, words) {
    result.textContent = `${name}：${words}`;
  }

  function progress(rate) {
    say("上传", `${Math.round(rate * 100)}%`);
  }

  function show(found) {
    chosen = found.images[0];
    const image = document.createElement("img");
    image.alt = "刚选的图片";
    image.src = URL.createObjectURL(chosen);
    pictures.replaceChildren(image);
    return { 张数: found.images.length, 字节: chosen.size };
  }

  function attempt(label, run) {
    run().then(
      (value) => say(label, value === undefined ? "好了" : JSON.stringify(value)),
      (error) => say(label, `${error.message}（${error.code}）`),
    );
  }

  tries.forEach(([name, label, run]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = bridge.supports(name) ? "action second" : "action second without";
    button.textContent = label;
    button.addEventListener("click", () => attempt(label, run));
    document.getElementById("functions").append(button);
  });

  if (sessionStorage.getItem("signing-in")) attempt("登录", signIn);

  bridge.ready().then((env) => {
    const works = env.host === "browser" ? "用网页标准" : env.sdk ? "平台功能已接通" : "平台功能没有接通，用网页标准";
    const words = [`${places[env.host]}${env.version && ` ${env.version}`}`, works];
    words.push(bridge.uiStyle() === "elder" ? "长辈版" : "标准版");
    document.getElementById("where").textContent = words.join("，");
  });
})();
