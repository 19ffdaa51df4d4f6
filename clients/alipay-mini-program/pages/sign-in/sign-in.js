const signIn = require('../../lib/sign-in')
const platform = require('../../lib/platform')
const { page } = require('../../lib/page')

page({
  methods: {
    signIn () {
      return this.wait(signIn()).then(done => {
        if (done) platform.back('/pages/my/my')
        return done
      })
    }
  }
})
