//! Names of sites with their SNOMED CT codes.

use std::fmt;

macro_rules! sites {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $code:literal;)+) => {
        /// Where in the body a region lies.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Site { $(#[doc = $text] $name,)+ }

        impl Site {
            /// Every site.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name in English.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The SNOMED CT identifier of the body structure.
            pub fn snomed(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }
        }
    };
}

sites! {
    Brain = "brain", "12738006";
    Head = "head", "69536005";
    Neck = "neck", "45048000";
    Larynx = "larynx", "4596009";
    BrownFat = "fatty tissue", "55603005";
    Lung = "lung", "39607008";
    Mediastinum = "mediastinum", "72410000";
    Myocardium = "myocardium", "74281007";
    Oesophagus = "oesophagus", "32849002";
    ChestWall = "chest wall or axilla", "78904004";
    UpperLimb = "upper limb", "53120007";
    Liver = "liver", "10200004";
    Spleen = "spleen", "78961009";
    LeftKidney = "left kidney", "18639004";
    RightKidney = "right kidney", "9846003";
    Ureter = "ureter", "87953007";
    Bladder = "urinary bladder", "89837001";
    StomachOrBowel = "stomach or bowel", "122865005";
    Abdomen = "abdomen", "818983003";
    Retroperitoneum = "retroperitoneum", "699600004";
    Pelvis = "pelvis", "12921003";
    LowerLimb = "lower limb", "61685007";
    Spine = "vertebral column", "421060004";
    Bone = "bone", "272673000";
    Marrow = "bone marrow", "14016003";
    Body = "body", "38266002";
}

impl Site {
    /// Whether the site is an organ or tissue whose own uptake may stand out; the others are mere places.
    ///
    /// Source: Barrington 2014 JCO 32:3048, sites of physiologic uptake.
    pub fn may_take_up(self) -> bool {
        match self {
            Self::Brain
            | Self::Head
            | Self::Larynx
            | Self::BrownFat
            | Self::Myocardium
            | Self::Oesophagus
            | Self::Liver
            | Self::Spleen
            | Self::LeftKidney
            | Self::RightKidney
            | Self::Ureter
            | Self::Bladder
            | Self::StomachOrBowel
            | Self::Marrow => true,
            Self::Neck
            | Self::Lung
            | Self::Mediastinum
            | Self::ChestWall
            | Self::UpperLimb
            | Self::Abdomen
            | Self::Retroperitoneum
            | Self::Pelvis
            | Self::LowerLimb
            | Self::Spine
            | Self::Bone
            | Self::Body => false,
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
