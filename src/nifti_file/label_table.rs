//! Names of labels in the extension of a NIfTI file.
//!
//! TotalSegmentator and Connectome Workbench write an XML document `CaretExtension` between header and voxels, with an
//! element `<Label Key="5" ...><![CDATA[liver]]></Label>` for each label. Nothing else of it matters here.
//!
//! Source: `nifti1.h` ("extended header": four bytes of which the first says whether extensions follow, then size, code
//! and content of each); Connectome Workbench, "`CaretExtension`" (code 30; TotalSegmentator writes code 0).

use std::collections::BTreeMap;

/// Names by label, from what lies between header and voxels.
pub(super) fn names(between: &[u8], big_endian: bool) -> BTreeMap<u32, String> {
    let mut names = BTreeMap::new();
    let Some(([follows, ..], mut rest)) = between.split_first_chunk::<4>() else {
        return names;
    };
    if *follows == 0 {
        return names;
    }
    while let Some((size, _)) = rest.split_first_chunk::<4>() {
        let size = if big_endian { u32::from_be_bytes(*size) } else { u32::from_le_bytes(*size) };
        let Some(content) = rest.get(8..size as usize) else { break };
        let text = String::from_utf8_lossy(content);
        if text.contains("<CaretExtension") {
            labels(&text, &mut names);
        }
        rest = rest.get(size as usize..).unwrap_or_default();
    }
    names
}

fn labels(xml: &str, names: &mut BTreeMap<u32, String>) {
    for element in xml.split("<Label ").skip(1) {
        let Some((attributes, rest)) = element.split_once('>') else { continue };
        let key = attributes.split_once("Key=\"").and_then(|(_, rest)| rest.split_once('"'));
        let key = key.and_then(|(key, _)| key.trim().parse::<u32>().ok());
        let name = rest.split_once("</Label>").map(|(content, _)| plain(content));
        if let (Some(key), Some(name)) = (key, name)
            && key > 0
            && !name.is_empty()
        {
            names.insert(key, name);
        }
    }
}

/// The text of an element, out of CDATA or with its entities resolved.
fn plain(content: &str) -> String {
    let content = content.trim();
    let verbatim = content.strip_prefix("<![CDATA[").and_then(|c| c.strip_suffix("]]>"));
    verbatim.map_or_else(
        || {
            let entities =
                [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
            entities.iter().fold(content.to_owned(), |text, (code, sign)| text.replace(code, sign))
        },
        |name| name.trim().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = "<?xml version=\"1.0\"?> <CaretExtension><VolumeInformation Index=\"0\"><LabelTable>\n\
        <Label Key=\"0\" Red=\"0\"><![CDATA[???]]></Label>\n\
        <Label Key=\"5\" Red=\"1\" Alpha=\"1\"><![CDATA[liver]]></Label>\n\
        <Label Red=\"1\" Key=\"52\">aorta &amp; arch</Label><Label Key=\"x\">y</Label><Label Key=\"7\">\
        </LabelTable></VolumeInformation></CaretExtension>";

    fn extension(content: &[u8], size: u32, big_endian: bool) -> Vec<u8> {
        let number = |n: u32| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
        [&number(size)[..], &number(0)[..], content].concat()
    }

    #[test]
    fn labels_are_found_behind_another_extension_in_either_order_of_bytes() {
        for big_endian in [false, true] {
            let other = extension(b"comment!", 16, big_endian);
            let table = extension(XML.as_bytes(), XML.len() as u32 + 8, big_endian);
            let between = [&[1, 0, 0, 0][..], &other, &table].concat();
            let found = names(&between, big_endian);
            let expected = [(5, "liver".to_owned()), (52, "aorta & arch".to_owned())];
            assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
            let none = [&[0, 0, 0, 0][..], &other, &table].concat();
            assert_eq!(names(&none, big_endian), BTreeMap::new());
        }
    }

    #[test]
    fn a_size_that_lies_ends_the_search() {
        for size in [0, 4, 7, u32::MAX] {
            let between = [&[1, 0, 0, 0][..], &extension(XML.as_bytes(), size, false)].concat();
            assert_eq!(names(&between, false), BTreeMap::new(), "{size}");
        }
    }
}
