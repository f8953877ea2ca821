//! Names at the ends of lines that do not cover each other.

/// A block of text that wants to stand at a height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wish {
    /// Where its middle wants to be.
    pub(super) middle: f64,
    /// How tall it is.
    pub(super) height: f64,
    /// Which blocks give way first when there is no room: the lowest rank.
    pub(super) rank: u8,
}

/// The middles of the blocks inside `top..bottom`, none over another; `None` for blocks that found no room.
///
/// Blocks keep their order and move as little as they can.
pub(super) fn spread(wishes: &[Wish], top: f64, bottom: f64) -> Vec<Option<f64>> {
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    while order.iter().map(|index| wishes[*index].height).sum::<f64>() > bottom - top {
        let weakest = order.iter().enumerate().rev().min_by_key(|(_, index)| wishes[**index].rank);
        match weakest.map(|(position, _)| position) {
            Some(position) => order.remove(position),
            None => break,
        };
    }
    order.sort_by(|one, two| wishes[*one].middle.total_cmp(&wishes[*two].middle));

    // Neighbours that touch are joined into one group, which stands at the mean of its wishes.
    let mut groups: Vec<(Vec<usize>, f64, f64)> = Vec::new();
    for index in order {
        let wish = wishes[index];
        groups.push((vec![index], wish.middle - wish.height / 2.0, wish.height));
        while let [.., upper, lower] = groups.as_slice() {
            let upper_top = upper.1.clamp(top, (bottom - upper.2).max(top));
            let lower_top = lower.1.clamp(top, (bottom - lower.2).max(top));
            if upper_top + upper.2 <= lower_top + 1e-9 {
                break;
            }
            let mut members = upper.0.clone();
            members.extend(&lower.0);
            let height = upper.2 + lower.2;
            let mut offset = 0.0;
            let mut wanted = 0.0;
            for member in &members {
                wanted += wishes[*member].middle - wishes[*member].height / 2.0 - offset;
                offset += wishes[*member].height;
            }
            let count = f64::from(u32::try_from(members.len()).unwrap_or(1));
            groups.truncate(groups.len() - 2);
            groups.push((members, wanted / count, height));
        }
    }
    let mut places = vec![None; wishes.len()];
    for (members, start, height) in groups {
        let mut edge = start.clamp(top, (bottom - height).max(top));
        for member in members {
            places[member] = Some(edge + wishes[member].height / 2.0);
            edge += wishes[member].height;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(middle: f64, rank: u8) -> Wish {
        Wish { middle, height: 10.0, rank }
    }

    #[test]
    fn blocks_apart_stay_where_they_want_to_be() {
        assert_eq!(spread(&[wish(80.0, 1), wish(20.0, 1)], 0.0, 100.0), [Some(80.0), Some(20.0)]);
    }

    #[test]
    fn blocks_at_one_height_are_stacked_around_it() {
        assert_eq!(spread(&[wish(50.0, 1), wish(50.0, 1)], 0.0, 100.0), [Some(45.0), Some(55.0)]);
        assert_eq!(spread(&[wish(0.0, 1), wish(1.0, 1)], 0.0, 100.0), [Some(5.0), Some(15.0)]);
    }

    #[test]
    fn without_room_the_lowest_rank_gives_way() {
        let places = spread(&[wish(5.0, 0), wish(5.0, 2), wish(9.0, 1)], 0.0, 20.0);
        assert_eq!(places, [None, Some(5.0), Some(15.0)]);
    }
}
