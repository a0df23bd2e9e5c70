/* The address that the station prints holds the token behind "#", which browsers send nowhere. */

const token = decodeURIComponent(location.hash.slice(1));
if (token) {
  document.getElementById("token").value = token;
  history.replaceState(null, "", location.pathname);
  document.querySelector("[name=full_name]").focus();
}
