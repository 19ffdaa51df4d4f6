// Alipay's signatures as its official SDK has them; what the SDK does not sign itself (notifications,
// answers, bytes in GBK) is signed with node:crypto under the same key and checked by the SDK where it can.
import { createSign, createVerify } from "node:crypto";
import { AlipaySdk } from "alipay-sdk";
import { serve } from "./lines.mjs";

const ALGORITHMS = { RSA: "RSA-SHA1", RSA2: "RSA-SHA256" };

const bytes = (base64) => Buffer.from(base64, "base64");

await serve({
  // The platform's side: a message to the gateway address of the app.
  message({ config, service, xml }) {
    const sdk = new AlipaySdk(config);
    // Under its usual name the SDK would take the content for JSON; it gives it that name itself.
    const content = { service, "biz-content": xml };
    return sdk.sdkExecute(service, content, { bizContentAutoSnakeCase: false });
  },
  // The app's side of all that the platform signs, and the platform's side of what apps sign.
  checkParameters({ config, parameters }) {
    return new AlipaySdk(config).checkNotifySignV2(parameters);
  },
  checkText({ config, text, signature, signType }) {
    return new AlipaySdk(config).rsaCheck(text, signature, signType);
  },
  checkAnswer({ config, answer, member }) {
    new AlipaySdk(config).checkResponseSign(answer, member, JSON.parse(answer).sign);
    return true;
  },
  serialNumbers({ config }) {
    const { appCertSn, alipayCertSn, alipayRootCertSn } = new AlipaySdk(config).config;
    return { app: appCertSn, alipay: alipayCertSn, root: alipayRootCertSn };
  },
  signBytes({ key, base64, signType }) {
    return createSign(ALGORITHMS[signType]).update(bytes(base64)).sign(key, "base64");
  },
  checkBytes({ key, base64, signature, signType }) {
    return createVerify(ALGORITHMS[signType]).update(bytes(base64)).verify(key, signature, "base64");
  },
});
