// 一份材料怎样交。
Component({
  properties: { material: { type: Object, value: {} } },
  methods: {
    chosen (event) { this.triggerEvent('way', { code: this.data.material.code, way: event.detail.value }) },
    add () { this.triggerEvent('add', { code: this.data.material.code }) }
  }
})
