"""The record of one advertisement, and how the columns of a table map to it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from jobscam.errors import InputError


@dataclass(frozen=True, slots=True)
class Posting:
    """One job advertisement. Every field is text as scraped; ``""`` means *unknown*, never *absent*.

    Parameters
    ----------
    title, description, requirements, benefits, company_profile : str
        The words of the ad. A bare social-media post goes into `description`.
    company, agency, licence : str
        Who hires, who places, and the placement licence as written.
    location : str
        Place of work.
    salary, salary_min, salary_max, salary_currency, salary_period : str
        Pay as free text, or as bounds with currency code and period.
    employment_type, experience, education, industry : str
        Job-board metadata.
    contact, url, source, posted_at, id : str
        How to apply, and where the ad was found.
    blank : tuple of str
        Metadata that the source asks for and this ad leaves out. A field that the source does not have is not blank: a
        social-media post says nothing by having no company profile, a job-board ad without one may.

    Examples
    --------
    >>> Posting(description="Dicari kasir, gaji 2,5jt").text()
    'Dicari kasir, gaji 2,5jt'
    """

    title: str = ""
    description: str = ""
    requirements: str = ""
    benefits: str = ""
    company_profile: str = ""
    company: str = ""
    agency: str = ""
    licence: str = ""
    location: str = ""
    salary: str = ""
    salary_min: str = ""
    salary_max: str = ""
    salary_currency: str = ""
    salary_period: str = ""
    employment_type: str = ""
    experience: str = ""
    education: str = ""
    industry: str = ""
    contact: str = ""
    source: str = ""
    url: str = ""
    posted_at: str = ""
    id: str = ""
    blank: tuple[str, ...] = ()

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Posting:
        """Build from a mapping whose keys are field names or any column alias; unknown keys are ignored."""
        values: dict[str, list[str]] = {}
        for key, value in mapping.items():
            field = field_of(str(key))
            if field:
                text = cell_text(value)
                values.setdefault(field, []).extend([text] if text else [])
        return cls.from_parts(values)

    @classmethod
    def from_parts(cls, parts: Mapping[str, Sequence[str]]) -> Posting:
        """Build from the cells of every field that the source has; a field without any is empty.

        Metadata count as left blank only where the ad fills some: a table may lump posts without metadata together with
        job-board ads.
        """
        offered = [name for name in METADATA_FIELDS if name in parts]
        filled = any(parts[name] for name in offered)
        blank = tuple(name for name in offered if filled and not parts[name])
        return cls(**{name: "\n".join(cells) for name, cells in parts.items() if cells}, blank=blank)

    def text(self) -> str:
        """The words of the ad, in reading order."""
        return "\n\n".join(getattr(self, name) for name in TEXT_FIELDS if getattr(self, name))

    def laid_out(self) -> str:
        """All fields that are read, in the order and with the gaps in which evidence is looked for."""
        return FIELD_GAP.join(value for name in READ_FIELDS if (value := getattr(self, name)))


FIELDS = tuple(f.name for f in fields(Posting) if f.name != "blank")
TEXT_FIELDS = ("title", "description", "requirements", "benefits", "company_profile")
"""Fields that hold prose; a posting needs at least one of them."""
METADATA_FIELDS = ("company", "company_profile", "requirements", "benefits", "employment_type", "education", "experience")
"""Fields whose being filled or left blank is told to the model."""
READ_FIELDS = (
    "title", "company", "agency", "licence", "location", "salary", "employment_type", "description", "requirements",
    "benefits", "company_profile", "experience", "education", "contact",
)  # fmt: skip
"""Fields that indicators read, in the order they are laid out."""
FIELD_GAP = "\n\n"

# Ordered: within one field, columns are joined in the order of the header. Sources: headers of job boards, scraped
# files and spreadsheets seen; add a spelling by adding it here.
ALIASES: dict[str, tuple[str, ...]] = {
    "title": ("title", "judul", "job title", "jobtitle", "job_title", "posisi", "position", "jabatan", "role", "headline",
              "nama lowongan", "nama pekerjaan", "pekerjaan", "lowongan", "judul lowongan", "job name", "job position"),
    "description": ("description", "deskripsi", "text", "teks", "job description", "job desc", "jobdesc", "desc", "isi",
                    "isi iklan", "iklan", "ad", "ad text", "advert", "caption", "content", "konten", "body", "post", "posting",
                    "message", "pesan", "deskripsi pekerjaan", "deskripsi posisi", "uraian", "uraian pekerjaan", "detail",
                    "details", "full text", "fulltext", "ocr", "ocr text", "tweet", "narasi", "job details"),
    "requirements": ("requirements", "requirement", "persyaratan", "syarat", "kualifikasi", "qualification",
                     "qualifications", "kriteria", "skills", "skill", "keahlian", "job requirements"),
    "benefits": ("benefits", "benefit", "fasilitas", "tunjangan", "keuntungan", "perks"),
    "company_profile": ("company profile", "profil perusahaan", "tentang perusahaan", "about company", "company description",
                        "about us"),
    "company": ("company", "perusahaan", "company name", "nama perusahaan", "employer", "pemberi kerja", "instansi",
                "organization", "organisation", "advertiser", "nama pt"),
    "agency": ("agency", "agen", "agensi", "p3mi", "pjtki", "pptkis", "placement agency", "nama p3mi", "penyalur", "lpk"),
    "licence": ("licence", "license", "licence number", "license number", "nomor izin", "no izin", "izin", "sip3mi",
                "no sip3mi", "nomor sip3mi", "siup"),
    "location": ("location", "lokasi", "destination", "tujuan", "negara tujuan", "negara", "penempatan", "kota", "city",
                 "kabupaten", "provinsi", "province", "country", "alamat", "address", "wilayah", "daerah", "tempat",
                 "lokasi kerja", "place", "region", "job location"),
    "salary": ("salary", "gaji", "salary range", "upah", "pay", "penghasilan", "income", "wage", "compensation",
               "kisaran gaji", "rentang gaji", "salary text"),
    "salary_min": ("salary min", "min salary", "minimum salary", "gaji min", "gaji minimum", "gaji minimal", "salary from",
                   "min gaji", "gaji terendah"),
    "salary_max": ("salary max", "max salary", "maximum salary", "gaji max", "gaji maks", "gaji maksimum", "gaji maksimal",
                   "salary to", "max gaji", "gaji tertinggi"),
    "salary_currency": ("salary currency", "currency", "mata uang", "kurs"),
    "salary_period": ("salary period", "period", "periode gaji", "pay period"),
    "employment_type": ("employment type", "type", "job type", "tipe", "jenis pekerjaan", "work type", "tipe pekerjaan",
                        "jenis kontrak", "contract type", "status pekerjaan"),
    "experience": ("experience", "pengalaman", "required experience", "min experience", "level", "tingkat"),
    "education": ("education", "pendidikan", "required education", "ijazah"),
    "industry": ("industry", "industri", "category", "kategori", "sector", "sektor", "bidang"),
    "contact": ("contact", "kontak", "phone", "telepon", "telp", "hp", "no hp", "wa", "whatsapp", "email", "e mail",
                "contact person", "narahubung", "telegram", "nomor", "how to apply", "cara melamar"),
    "source": ("source", "sumber", "platform", "account", "akun", "channel", "group", "grup"),
    "url": ("url", "link", "tautan", "permalink"),
    "posted_at": ("posted at", "posted", "date", "tanggal", "tgl", "posted date", "posted time", "created at", "waktu",
                  "timestamp", "tanggal posting"),
    "id": ("id", "job id", "post id", "no", "nomor iklan", "uuid"),
}  # fmt: skip

_BY_ALIAS = {alias: field for field, names in ALIASES.items() for alias in names} | {
    name.replace("_", " "): name for name in FIELDS
}
_SEPARATORS = re.compile(r"[\s_./\\:()\[\]-]+")


def field_of(column: str) -> str | None:
    """Posting field that a column name stands for, or None.

    Examples
    --------
    >>> field_of("Isi_Iklan"), field_of("NO. HP"), field_of("fraudulent")
    ('description', 'contact', None)
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column.strip())
    for name in (column, spaced):
        folded = _SEPARATORS.sub(" ", name.replace("\ufeff", "").lower()).strip()
        if folded in _BY_ALIAS:
            return _BY_ALIAS[folded]
    return None


def cell_text(value: Any) -> str:
    """A cell as text, as a file that holds it is read: missing values (None, NaN, NaT) are empty, so is what has no text."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(value, str):
        return value if value.strip() else ""
    from jobscam.io.cells import CellError, text_of

    try:
        return text_of(value.tolist() if hasattr(value, "tolist") else value)
    except CellError:
        return ""


class ColumnMap:
    """Which columns of a table feed which fields of a posting.

    Attributes
    ----------
    header : tuple of str
    fields : dict of str to tuple of int
        Posting field and the positions of its columns.
    unmapped : tuple of str
        Columns that are carried along unread.
    """

    def __init__(self, header: Sequence[str], mapped: Mapping[str, Sequence[int]]) -> None:
        self.header = tuple(header)
        self.fields = {name: tuple(positions) for name, positions in mapped.items()}
        used = {p for positions in self.fields.values() for p in positions}
        self.unmapped = tuple(h for i, h in enumerate(header) if i not in used)
        self._text = tuple(p for name in TEXT_FIELDS for p in self.fields.get(name, ()))

    @classmethod
    def from_header(cls, header: Sequence[str], overrides: Mapping[str, str] | None = None) -> ColumnMap:
        """Map a header by aliases; `overrides` (field to column name) wins over them.

        Raises
        ------
        InputError
            If an override names an unknown field or column, or no column holds the text of the ads.
        """
        mapped: dict[str, list[int]] = {}
        taken: set[int] = set()
        for field, column in (overrides or {}).items():
            if field not in FIELDS:
                raise InputError(f"--map: there is no field '{field}'. Fields: {', '.join(FIELDS)}.")
            if column not in header:
                raise InputError(f"--map {field}={column}: no such column. Columns: {', '.join(header)}.")
            mapped[field] = [header.index(column)]
            taken.add(header.index(column))
        for position, name in enumerate(header):
            found = field_of(name)
            if found and position not in taken and found not in (overrides or {}):
                mapped.setdefault(found, []).append(position)
        if len(header) == 1 and not mapped:
            mapped["description"] = [0]
        if not any(name in mapped for name in TEXT_FIELDS):
            raise InputError(
                "no column holds the text of the ads. "
                f"Columns: {', '.join(h or '(empty)' for h in header)}. Name it with --map description=COLUMN."
            )
        return cls(header, mapped)

    def describe(self) -> list[tuple[str, str]]:
        """Pairs of column and field, in the order of the header."""
        by_position = {p: name for name, positions in self.fields.items() for p in positions}
        return [(self.header[p], by_position[p]) for p in sorted(by_position)]

    def has_text(self, cells: Sequence[str]) -> bool:
        """Whether any text column of a row holds a letter or digit."""
        return any(any(c.isalnum() for c in cells[p]) for p in self._text if p < len(cells))

    def posting(self, cells: Sequence[str]) -> Posting:
        """The posting of a row."""
        return Posting.from_parts(
            {
                name: [cells[p] for p in positions if p < len(cells) and cells[p].strip()]
                for name, positions in self.fields.items()
            }
        )
