"""A Conan 2 recipe of this checkout, for Linux: conan create docs/packaging/conan --build=missing -s compiler.cppstd=20"""

import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.gnu import PkgConfigDeps
from conan.tools.layout import basic_layout
from conan.tools.meson import Meson, MesonToolchain


class Wengert(ConanFile):
    name = "wengert"
    description = "Automatic differentiation for sequence models on CPUs"
    license = "MIT"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "onednn": [True, False]}
    default_options = {"shared": False, "onednn": False}
    tool_requires = "meson/[>=1.0]", "pkgconf/[>=1.9]"

    def set_version(self):
        root = os.path.join(self.recipe_folder, "..", "..", "..")
        line = next(line for line in load(self, os.path.join(root, "meson.build")).splitlines() if " version: '" in line)
        self.version = line.split("'")[1]

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..", "..")
        for what in ("autograd", "ops", "nn", "models", "examples", "docs", "tests/lint.py", "meson.build", "meson_options.txt", "LICENSE"):
            copy(self, what if os.path.isfile(os.path.join(root, what)) else what + "/*", root, self.export_sources_folder)

    def requirements(self):
        for package in ("fmt/[>=9]", "nlohmann_json/[>=3.11]", "xsimd/[>=8]"):  # in public headers
            self.requires(package, transitive_headers=True)
        self.requires("openblas/[>=0.3.20]")
        self.requires("utf8proc/[>=2.6]")
        if self.options.onednn:
            self.requires("onednn/[>=2.6]")

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("Wengert is for Linux")
        check_min_cppstd(self, 20)

    def layout(self):
        basic_layout(self)

    def generate(self):
        PkgConfigDeps(self).generate()
        toolchain = MesonToolchain(self)
        toolchain.project_options.update({
            "cpu": "baseline", "tools": "false", "graphviz": "disabled", "libzip": "disabled", "mpi": "disabled",
            "sentencepiece": "disabled",
            "onednn": "enabled" if self.options.onednn else "disabled"})
        toolchain.generate()

    def build(self):
        meson = Meson(self)
        meson.configure()
        meson.build()

    def package(self):
        Meson(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        for name in ("wengert", "wengert-models"):
            component = self.cpp_info.components[name]
            component.libs = [name]
            component.set_property("pkg_config_name", name)
            component.set_property("cmake_target_name", "wengert::" + name)
            component.exelinkflags = component.sharedlinkflags = ["-fopenmp"]
            component.requires = ["fmt::fmt", "nlohmann_json::nlohmann_json", "openblas::openblas", "utf8proc::utf8proc",
                                  "xsimd::xsimd"] + (["onednn::onednn"] if self.options.onednn else []) + (
                                      ["wengert"] if name != "wengert" else [])
