"""The words of invented people. No entry is a real person; the names are common ones."""
# ruff: noqa: SIM905 - one word a line would hide the lists

WOMEN = """Asha Fatma Mwanajuma Zuhura Salma Khadija Maryam Rukia Zainab Halima Mwanaisha Saada Time
Amina Hidaya Raya Bimkubwa Shara Mtumwa Siti Aziza Nasra Safia Jamila Latifa Mwatima Subira Biubwa
Riziki Tatu Sabra Wahida Ruwaida Thuwaiba Zeyana Mgeni Fadhila Moza Sharifa Nargis""".split()
MEN = """Juma Ali Khamis Haji Makame Suleiman Said Omar Abdalla Hassan Hamad Vuai Ussi Shaaban Pandu
Mbarouk Rashid Salum Issa Ame Faki Kombo Machano Nassor Seif Mohammed Othman Haroub Silima Mussa
Yussuf Ramadhan Iddi Hamza Bakari Khatib Mzee Simai Foum Jecha""".split()
FAMILY = """Makame Khamis Juma Ali Haji Vuai Ussi Kombo Pandu Mbarouk Faki Machano Shaame Silima Ame
Mzee Nassor Haroub Kheir Bakar Ngwali Mwinyi Khatib Othman Seif Jecha Sheha Hamad Mcha Simai Dau
Choum Denge Mshenga Khalfan Foum Kidawa Tano Mwadini Chande""".split()

PLACES = """MKOANI|WETE|CHAKE CHAKE|MICHEWENI|MAKUNDUCHI|NUNGWI|KIWENGWA|MJINI MAGHARIBI|Mkokotoni|\
DONGE|Fuoni|KONDE|Bububu|JAMBIANI|PAJE|Tumbatu|UZINI|Kizimkazi""".split("|")
DISTRICTS = """Magharibi A|Magharibi B|Mjini|Kati|Kusini|Kaskazini A|Kaskazini B|Wete|Micheweni|\
Chake Chake|Mkoani""".split("|")
REGIONS = "Mjini Magharibi|Kusini Unguja|Kaskazini Unguja|Kusini Pemba|Kaskazini Pemba".split("|")
COUNTRIES = ["United Republic of Tanzania"] * 30 + ["Kenya", "Oman", "Comoros"]
STREETS = """Fuoni|Kikwajuni|Mwanakwerekwe|Kwahani|Magomeni|Amani|Mtoni|Jang'ombe|Kiembe Samaki|\
Chukwani|Mombasa|Kinuni|Tomondo|Mpendae""".split("|")
CITIES = ["UNGUJA", "Unguja", "PEMBA", "Zanzibar", "ZANZIBAR"]

TITLES = """Afisa Mipango|Mwalimu|Muuguzi|Daktari|Mhasibu|Katibu Muhtasi|Dereva|Afisa Utumishi|\
Mhandisi|Fundi Sanifu|Afisa Sheria|Mkaguzi wa Ndani|Mlinzi|Afisa Tehama|Mtunza Kumbukumbu|\
Afisa Ununuzi|Mfamasia|Mchumi""".split("|")
PREFIXES = ["Msaidizi", "Mkuu", "Mwandamizi"]
GRADES = ["I", "II", "III", "Daraja la I", "Daraja la II"]
DEPARTMENTS = """Idara ya Mipango|Idara ya Utumishi na Uendeshaji|Idara ya Fedha|Idara ya Kinga|\
Idara ya Tiba|Idara ya Elimu ya Msingi|Ofisi Kuu Pemba|Idara ya Sera na Utafiti|\
Kitengo cha Ununuzi|Idara ya Uratibu""".split("|")
DIVISIONS = """Divisheni ya Sera|Divisheni ya Utumishi|Divisheni ya Uhasibu|Divisheni ya Takwimu|\
Divisheni ya Manunuzi|Divisheni ya Mafunzo""".split("|")
APPOINTMENTS = ["Tume ya Utumishi Serikalini", "Kamisheni ya Utumishi wa Umma", "Rais", "Mkataba"]
CONTRACTS = ["Wa Kudumu"] * 9 + ["Mkataba", "Wa Muda"]
LEFT = ["Amestaafu", "Staafu kwa hiari", "Hayupo Kazini", "Aachishwa Kazi", "Amefukuzwa Kazi"]
LEVELS = ["Bachelor Degree", "Diploma", "Master Degree", "Certificate", "Form IV", "Form VI", "PhD"]
SCHOOLS = """SUZA|Chuo cha Utawala wa Umma|Skuli ya Lumumba|Chuo Kikuu cha Mwongozo|\
Skuli ya Mtoni|Chuo cha Afya Mbweni""".split("|")

UNREGISTERED = {
    "Hospitali Kuu ya Pwani Mchangani": 586,
    "Baraza la Mji wa Kaskazini": 311,
    "CHUO CHA UFUNDI MKOKOTONI": 204,
    "Mamlaka ya Bandari Ndogo": 150,
    "Shirika la Magari ya Umma": 121,
    "Baraza la Mji wa Chake": 96,
    "Idara ya Takwimu za Visiwa": 80,
    "MAABARA KUU YA VISIWA": 64,
    "Chuo cha Kilimo Kizimbani B": 52,
    "Skuli ya Ufundi Wete Mpya": 45,
    "Halmashauri ya Kati Mashariki": 38,
    "Ofisi ya Mkuu wa Wilaya ya Tumbatu": 31,
    "Makumbusho ya Mji wa Kale": 27,
    "BODI YA MIKOPO YA VISIWA": 22,
    "Kituo cha Utafiti wa Mwani": 18,
    "Maktaba ya Watoto Gulioni": 14,
    "Mfuko wa Barabara za Vijijini": 11,
    "Bodi ya Vileo na Vinywaji": 9,
    "Kamati ya Sensa 2030": 6,
    "Mradi wa Maji Safi Makunduchi": 4,
    "Kambi ya Vijana Bambi": 2,
    "Dawati la Diaspora": 1,
}
"""The 22 workplaces that are not on the register, and how many people of vote 037 work there."""

SHORT_NAMES = {
    "TUME YA UCHAGUZI YA ZANZIBAR": "Tume ya Uchaguzi",
    "KAMISHENI YA UTALII ZANZIBAR": "Kamisheni ya Utalii",
    "WAKALA WA MAJENGO ZANZIBAR": "WAKALA WA MAJENGO",
    "OFISI YA MUFTI MKUU WA ZANZIBAR": "Ofisi ya Mufti Mkuu",
    "Wakala wa Vipimo Zanzibar": "WAKALA WA VIPIMO",
}
"""Register names and the short forms that people write; only people of vote 037 have them."""
