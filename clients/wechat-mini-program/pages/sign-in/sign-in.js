const signIn = require('../../lib/sign-in')
const { page } = require('../../lib/page')

page({
  methods: {
    signIn () {
      return this.wait(signIn()).then(done => {
        if (done) wx.navigateBack({ fail: () => wx.switchTab({ url: '/pages/my/my' }) })
        return done
      })
    }
  }
})
