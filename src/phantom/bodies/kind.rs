//! Names of the builds.

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $words:literal;)+) => {
        /// What is special about a seeded body.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $(#[doc = $words] $kind,)+ }

        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The name on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// What is special about it, in words.
            pub fn description(self) -> &'static str {
                match self { $(Self::$kind => $words,)+ }
            }
        }
    };
}

kinds! {
    Usual = "usual", "an adult with the usual variety of organs and uptake";
    ArmsDown = "arms-down", "arms beside the trunk";
    NoHead = "no-head", "from the neck to the thighs";
    ShortField = "short-field", "from the shoulders to the kidneys";
    ToToes = "to-toes", "from vertex to toes";
    Obese = "obese", "body mass index 36 to 52";
    Child = "child", "a child of two to nine years";
    OneLungCollapsed = "one-lung-collapsed", "one lung without air, fluid around it";
    Effusion = "effusion", "fluid behind one lung";
    ElevatedDiaphragm = "elevated-diaphragm", "one or both domes of the diaphragm stand high";
    LiverLesions = "liver-lesions", "several lesions in the liver";
    LargeLiver = "large-liver", "a large liver";
    FattyLiver = "fatty-liver", "a liver of low CT number";
    LargeSpleen = "large-spleen", "a large and hot spleen";
    StomachOverLiver = "stomach-over-liver", "a full hot stomach in front of the liver";
    BowelOverLiver = "bowel-over-liver", "bowel between liver and diaphragm";
    HotHeart = "hot-heart", "a very hot left ventricle";
    HotMarrow = "hot-marrow", "marrow and spleen after growth factors";
    HotMuscle = "hot-muscle", "hot muscle and heart, cool liver, as after a meal";
    HotBowel = "hot-bowel", "hot bowel, as with metformin";
    BrownFat = "brown-fat", "hot brown fat";
    Breathing = "breathing", "the diaphragm elsewhere in the CT";
    Noisy = "noisy", "few counts";
    BulkyMediastinum = "bulky-mediastinum", "large nodes around the aorta";
    SitusInversus = "situs-inversus", "left and right exchanged";
    NoLiver = "no-liver", "a field that ends above the liver or below it";
}
