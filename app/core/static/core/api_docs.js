"use strict";
const docs = document.getElementById("docs");
window.SwaggerUIBundle({ url: docs.dataset.contract, domNode: docs, deepLinking: true, validatorUrl: null });
