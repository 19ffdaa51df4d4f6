// All text invisible, nothing moved: what is left is what stands behind it, shadows of letters included.
(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*,*::before,*::after{color:transparent!important;-webkit-text-fill-color:transparent!important;"
    + "-webkit-text-stroke-color:transparent!important;caret-color:transparent!important;"
    + "text-decoration-color:transparent!important;transition:none!important}"
    + "*::placeholder{color:transparent!important}");
  globalThis.hidingSheet = sheet;
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
})()
