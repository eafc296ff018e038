# The targets of packages.Dockerfile, each an image marquee/packages-<target>.

variable "BASE_IMAGE" {
  default = "debian:trixie-slim"
}

target "packages" {
  name       = item
  matrix     = {
    item = ["postgres", "kafka", "nginx", "prometheus", "alertmanager", "node-exporter", "groovy-jars"]
  }
  dockerfile = "compose/images/packages.Dockerfile"
  target     = item
  tags       = ["marquee/packages-${item}"]
  args       = { BASE_IMAGE = BASE_IMAGE }
}
