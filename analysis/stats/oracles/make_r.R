# Writes r.json: what R answers. Base R alone (Rscript make_r.R), made with R 4.2.2.
#
# Its algorithms and code are neither scipy's nor ours. `qt` with a shift is what the package
# `tolerance` computes for K.factor(n, alpha, P, side = 1, method = "EXACT").

stopifnot(paste(R.version$major, R.version$minor, sep = ".") == "4.2.2")
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
number <- function(x) sprintf("%.17g", x)
list_of <- function(x) paste0("[", paste(number(x), collapse = ", "), "]")
object <- function(...) {
  fields <- list(...)
  paste0("{", paste0('"', names(fields), '": ', fields, collapse = ", "), "}")
}
table_of <- function(name, rows) {
  paste0(' "', name, '": [\n', paste0("  ", unlist(rows), collapse = ",\n"), "\n ]")
}

rounds <- list(
  c(0.051, 0.043, 0.060, 0.038, 0.055, 0.047),
  c(-0.012, 0.034, 0.005, -0.041, 0.018, 0.027, -0.003, 0.011, 0.022, -0.019),
  c(0.001, -0.002, 0.003, -0.001, 0.002, -0.003, 0.0015))
families <- list(
  c(0.01, 0.04, 0.03, 0.005),
  c(0.0001, 0.9, 0.3, 0.04, 0.04, 0.012, 1.0, 0.0, 0.049))

factors <- list()
for (n in c(2, 3, 5, 8, 10, 15, 20, 30, 50, 100)) for (p in c(0.9, 0.99, 0.999)) for (c in c(0.9, 0.95, 0.99))
  factors <- c(factors, list_of(c(n, p, c, qt(c, n - 1, qnorm(p) * sqrt(n)) / sqrt(n))))

t_tests <- lapply(rounds, function(x) {
  t <- t.test(x, conf.level = 0.95)
  upper <- t.test(x, alternative = "less", conf.level = 0.95)
  object(x = list_of(x), t = number(t$statistic), p = number(t$p.value), low = number(t$conf.int[1]),
         high = number(t$conf.int[2]), upper95 = number(upper$conf.int[2]))
})

bounds <- list()
for (k in list(c(0, 10), c(3, 17), c(7, 662), c(40, 41), c(0, 100000))) for (c in c(0.9, 0.95, 0.999)) {
  both <- binom.test(k[1], k[2], conf.level = c)$conf.int
  one <- binom.test(k[1], k[2], alternative = "less", conf.level = c)$conf.int
  bounds <- c(bounds, list_of(c(k, c, both, one[2])))
}

adjusted <- lapply(families, function(p) {
  object(p = list_of(p), holm = list_of(p.adjust(p, "holm")), bh = list_of(p.adjust(p, "BH")))
})

quantiles <- list()
for (n in c(1, 2, 7, 64, 250)) for (p in c(1250, 5000, 7500, 9000, 9990)) {
  values <- (0:(n - 1) * 7919) %% 1009
  quantiles <- c(quantiles, object(values = list_of(values), per_ten_thousand = p,
                                   quantile = number(quantile(values, p / 10000, type = 1))))
}

powers <- list()
for (n in c(3, 6, 10, 20)) for (shift in c(0.25, 1, 2.5)) {
  power <- power.t.test(n, delta = shift, sd = 1, sig.level = 0.05, type = "one.sample", strict = TRUE)$power
  powers <- c(powers, list_of(c(n, shift, 0.05, power)))
}

writeLines(c("{", paste(c(
  table_of("tolerance_factor", factors), table_of("t_test", t_tests), table_of("clopper_pearson", bounds),
  table_of("adjusted", adjusted), table_of("quantile", quantiles), table_of("power", powers)),
  collapse = ",\n"), "}"), file.path(here, "r.json"))
