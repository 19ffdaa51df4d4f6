const api = require('../../lib/api')
const session = require('../../lib/session')
const shown = require('../../lib/shown')
const platform = require('../../lib/platform')
const { page, settings } = require('../../lib/page')

const CLIENTS = {
  wechat: '微信', wechat_mini: '微信小程序', alipay: '支付宝', alipay_mini: '支付宝小程序', browser: '浏览器'
}

function mine (found) {
  const [me, sessions] = found
  return {
    signedIn: true,
    phone: me.phone,
    bindings: me.bindings.map(one => ({ id: one.id, name: one.label + '：' + one.account_name })),
    sessions: sessions.map(one => ({
      id: one.id, current: one.current, words: (CLIENTS[one.client] || one.client) + '，最近使用 ' + shown.moment(one.used_at)
    }))
  }
}

page({
  data: { signedIn: false, phone: '', bindings: [], sessions: [] },
  methods: {
    shown () { return this.load() },
    load () {
      if (!session.token()) {
        this.setData({ state: 'ready', signedIn: false })
        return Promise.resolve(false)
      }
      return this.wait(Promise.all([api.get('/my'), api.get('/my/sessions')]), mine)
    },
    // 居民不同意时没有 code。
    gotPhone (event) {
      return platform.phoneCode(event).then(code => {
        if (!code) return false
        return this.wait(api.post('/my/phone', { code }), me => ({ phone: me.phone }))
      })
    },
    forgetPhone () {
      return this.wait(api.remove('/my/phone'), () => ({ phone: '' }))
    },
    endSession (event) {
      return this.wait(api.remove('/my/sessions/' + event.currentTarget.dataset.id)).then(done => done && this.load())
    },
    // 先在本机退出，断网也能退；服务器上的登录随后结束。
    signOut () {
      const current = this.data.sessions.filter(one => one.current)[0]
      const ended = current ? api.remove('/my/sessions/' + current.id) : Promise.resolve()
      session.forget()
      this.setData({ signedIn: false, phone: '', bindings: [], sessions: [], state: 'ready' })
      return ended.catch(() => undefined)
    },
    toggleLarge (event) {
      settings.setLarge(event.detail.value)
      this.setData({ large: settings.isLarge() })
    }
  }
})
