// 一份材料怎样交。
const { tell } = require('../../lib/platform')

Component({
  props: { material: {} },
  methods: {
    chosen (event) { tell(this, 'onWay', { code: this.props.material.code, way: event.detail.value }) },
    add () { tell(this, 'onAdd', { code: this.props.material.code }) }
  }
})
