// Loads the page. A browser drops what it is loading when a network interface comes or goes (a container starting is
// enough), and a module that failed once stays failed: then the page is loaded again.

const MOST_TRIES = 5;
const TRY_AGAIN_MS = 400;
const KEY = "page/loading";

import("./main.js").then(() => sessionStorage.removeItem(KEY), (problem) => {
  const tries = Number(sessionStorage.getItem(KEY) ?? 0) + 1;
  sessionStorage.setItem(KEY, String(tries));
  if (tries <= MOST_TRIES) setTimeout(() => location.reload(), TRY_AGAIN_MS);
  else document.getElementById("main").textContent = `The page could not be loaded; reload it. 页面未能加载，请刷新。(${problem.message})`;
});
