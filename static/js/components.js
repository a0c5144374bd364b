// State that lives inside one component; registered before Alpine starts.
document.addEventListener("alpine:init", () => {
  Alpine.data("selection", () => ({
    init() {
      this.$el.addEventListener("change", (event) => {
        if (event.target.matches("[data-pick-all]")) this.boxes().forEach((box) => (box.checked = event.target.checked));
        this.count();
      });
      this.count();
    },
    boxes() {
      return [...this.$el.querySelectorAll("input[name=pick]")];
    },
    count() {
      const picked = this.boxes().filter((box) => box.checked).length;
      const bar = this.$el.querySelector(".selection-bar");
      if (!bar) return;
      // The bar comes up with the first tick; without JavaScript it is always there.
      bar.hidden = !picked;
      const sign = bar.querySelector("[data-pick-count]");
      sign.textContent = sign.dataset.words.replace("{n}", String(picked));
      const all = this.$el.querySelector("[data-pick-all]");
      if (all) {
        all.checked = picked > 0 && picked === this.boxes().length;
        all.indeterminate = picked > 0 && !all.checked;
      }
    },
  }));
});
