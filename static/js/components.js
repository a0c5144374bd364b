// State that lives inside one component; registered before Alpine starts.
document.addEventListener("alpine:init", () => {
  Alpine.data("selection", () => ({
    init() {
      this.$el.addEventListener("change", (event) => {
        if (event.target.matches("[data-pick-all]")) this.boxes().forEach((box) => (box.checked = event.target.checked));
        this.count();
      });
      this.words = this.$el.querySelector("[data-pick-count]")?.textContent;
    },
    boxes() {
      return [...this.$el.querySelectorAll("input[name=pick]")];
    },
    count() {
      const picked = this.boxes().filter((box) => box.checked).length;
      const sign = this.$el.querySelector("[data-pick-count]");
      if (sign) sign.textContent = picked ? String(picked) : this.words;
      const all = this.$el.querySelector("[data-pick-all]");
      if (all) {
        all.checked = picked > 0 && picked === this.boxes().length;
        all.indeterminate = picked > 0 && !all.checked;
      }
    },
  }));
});
