const api = require('../../lib/api')
const places = require('../../lib/places')
const session = require('../../lib/session')
const web = require('../../lib/web')
const platform = require('../../lib/platform')
const { page } = require('../../lib/page')

const NOT_LISTED = '这个网页不能在小程序里打开，请复制网址后用浏览器打开'

page({
  data: { url: '', outside: '', pageId: '' },
  methods: {
    onLoad (query) {
      this.setData({ pageId: (query && query.page) || '' })
      if (this.data.pageId) return this.load()
      const url = web.decoded(query && query.url)
      // 通知里的地址是大厅网页的；小程序里登录过，用自己的页面看得到。
      return web.allowed(url) && places.go(url, true) ? Promise.resolve(true) : this.open(url)
    },
    // 登录过的居民带着一次性票据去部门网页，没有登录的照样能看。
    load () {
      if (!/^[0-9]{1,19}$/.test(this.data.pageId)) return this.open('')
      if (!session.token()) return this.open(web.entry(this.data.pageId))
      const asked = api.post('/my/sso-tickets', { page_id: this.data.pageId }).then(
        told => told.url,
        error => {
          if (error.kind === 'signed_out') return web.entry(this.data.pageId)
          throw error
        }
      )
      return this.wait(asked, url => this.placed(url))
    },
    open (url) {
      const place = this.placed(url)
      this.setData(Object.assign({ state: 'ready' }, place))
      return Promise.resolve(place.url !== '')
    },
    placed (url) {
      return web.allowed(url) ? { url, outside: '', words: '' } : { url: '', outside: web.originOf(url) ? url : '', words: NOT_LISTED }
    },
    copy () { platform.copy(this.data.outside) }
  }
})
