// 每个页面共有的：等待、失败、重试和大字版。
const platform = require('./platform')

const LARGE = 'large'

const settings = {
  isLarge: () => platform.read(LARGE) === true,
  setLarge: on => platform.keep(LARGE, on === true)
}

function page (definition) {
  const methods = Object.assign({
    onShow () {
      if (this.data.large !== settings.isLarge()) this.setData({ large: settings.isLarge() })
      return this.shown && this.shown()
    },
    // 等 promise：等待时显示“正在加载”，失败时显示原因；成功后把结果交给 done。
    wait (promise, done) {
      this.setData({ state: 'loading', words: '' })
      return promise.then(
        result => {
          this.setData(Object.assign({ state: 'ready' }, done && done(result)))
          return true
        },
        error => {
          // 程序自己的错误不该装作网络问题。
          if (!error || !error.kind) throw error
          this.setData({ state: 'failed', kind: error.kind, words: error.words })
          return false
        }
      )
    },
    toSignIn () {
      platform.open('/pages/sign-in/sign-in')
    }
  }, definition.methods)
  const data = Object.assign({ state: 'ready', kind: '', words: '', large: settings.isLarge() }, definition.data)
  platform.define(data, methods)
}

module.exports = { page, settings }
