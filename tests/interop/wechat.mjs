// WeChat's message encryption as two other libraries have it.
import * as wecom from "@wecom/crypto";
import WXBizMsgCrypt from "wechat-crypto";
import { serve } from "./lines.mjs";

const libraries = {
  "@wecom/crypto": ({ token, key, appId }) => ({
    sign: (timestamp, nonce, cipher) => wecom.getSignature(token, timestamp, nonce, cipher),
    encrypt: (message) => wecom.encrypt(key, message, appId),
    decrypt: (cipher) => wecom.decrypt(key, cipher),
  }),
  "wechat-crypto": ({ token, key, appId }) => {
    const crypt = new WXBizMsgCrypt(token, key, appId);
    return {
      sign: (timestamp, nonce, cipher) => crypt.getSignature(timestamp, nonce, cipher),
      encrypt: (message) => crypt.encrypt(message),
      decrypt: (cipher) => crypt.decrypt(cipher),
    };
  },
};

await serve({
  seal({ library, account, message, timestamp, nonce }) {
    const peer = libraries[library](account);
    const cipher = peer.encrypt(message);
    return { cipher, signature: peer.sign(timestamp, nonce, cipher) };
  },
  open({ library, account, cipher, timestamp, nonce }) {
    const peer = libraries[library](account);
    const { message, id } = peer.decrypt(cipher);
    return { message, id, signature: peer.sign(timestamp, nonce, cipher) };
  },
  signPage({ ticket, nonce, timestamp, url }) {
    return wecom.getJsApiSignature({ ticket, nonceStr: nonce, timestamp, url }).signature;
  },
});
