//! Many requests for one thing make one read (a flight), and still nobody gets what was read before they asked: a
//! request takes the result of a flight that began after its own arrival. One that arrives later waits for the end of
//! that flight and looks again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::sync::watch;

/// When a request came, compared with the flights.
#[derive(Debug, Clone, Copy)]
pub struct Arrival(u64);

/// The result of a flight, once there is one.
#[derive(Debug)]
pub struct Landing<T>(watch::Receiver<Option<T>>);

impl<T: Clone> Landing<T> {
    /// Waits for the result; `None` when the flight ended without one, by a panic.
    pub async fn wait(mut self) -> Option<T> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}

/// What a request is to do.
#[derive(Debug)]
pub enum Turn<T> {
    /// Start reading, and land the flight with the result, which this landing gives as well.
    Fly(Flight<T>, Landing<T>),
    /// Take the result of this flight.
    Join(Landing<T>),
    /// Wait for this flight to end, then look again.
    Wait(Landing<T>),
}

/// The flights that are under way, one a key. Clones share them.
#[derive(Debug, Clone)]
pub struct Flights<T>(Arc<Mutex<Sky<T>>>);

#[derive(Debug)]
struct Sky<T> {
    next: u64,
    flights: HashMap<i64, (u64, watch::Receiver<Option<T>>)>,
}

impl<T: Clone> Flights<T> {
    /// None under way.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Sky { next: 0, flights: HashMap::new() })))
    }

    /// To be called when a request comes, before anything is looked up for it.
    pub fn arrive(&self) -> Arrival {
        Arrival(self.sky().next)
    }

    /// Joins or starts a flight for `key`.
    pub fn enter(&self, key: i64, arrival: Arrival) -> Turn<T> {
        let mut sky = self.sky();
        if let Some((number, result)) = sky.flights.get(&key) {
            let landing = Landing(result.clone());
            return if *number >= arrival.0 { Turn::Join(landing) } else { Turn::Wait(landing) };
        }
        let (sender, result) = watch::channel(None);
        let number = sky.next;
        sky.next += 1;
        sky.flights.insert(key, (number, result.clone()));
        Turn::Fly(Flight { key, sender, flights: self.clone() }, Landing(result))
    }

    fn sky(&self) -> MutexGuard<'_, Sky<T>> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }
}

/// A read under way. Dropping it ends it.
#[derive(Debug)]
pub struct Flight<T> {
    key: i64,
    sender: watch::Sender<Option<T>>,
    flights: Flights<T>,
}

impl<T> Flight<T> {
    /// Gives everybody the result.
    pub fn land(self, result: T) {
        self.end();
        self.sender.send_replace(Some(result));
    }

    /// Before the result is known to anyone: who asks after that must not join.
    fn end(&self) {
        if let Ok(mut sky) = self.flights.0.lock() {
            sky.flights.remove(&self.key);
        }
    }
}

impl<T> Drop for Flight<T> {
    fn drop(&mut self) {
        // After `land` there may be a newer flight under the same key, which must stay.
        if self.sender.borrow().is_none() {
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_who_came_before_a_flight_began_join_it() {
        let flights = Flights::new();
        let (first, second) = (flights.arrive(), flights.arrive());
        let Turn::Fly(flight, own) = flights.enter(7, first) else { panic!("nobody flies yet") };
        let Turn::Join(joined) = flights.enter(7, second) else { panic!("the flight began after the arrival") };
        flight.land("result");
        assert_eq!((own.wait().await, joined.wait().await), (Some("result"), Some("result")));
    }

    #[tokio::test]
    async fn one_who_comes_after_a_flight_began_never_gets_its_result() {
        let flights = Flights::new();
        let Turn::Fly(flight, _) = flights.enter(7, flights.arrive()) else { panic!("nobody flies yet") };
        let late = flights.arrive();
        let Turn::Wait(end) = flights.enter(7, late) else { panic!("the flight began before the arrival") };
        flight.land("old");
        end.wait().await;
        let Turn::Fly(next, own) = flights.enter(7, late) else { panic!("the old flight is over") };
        next.land("new");
        assert_eq!(own.wait().await, Some("new"));
    }

    #[tokio::test]
    async fn a_flight_that_is_dropped_makes_nobody_wait_for_ever() {
        let flights = Flights::<()>::new();
        let arrival = flights.arrive();
        let Turn::Fly(flight, own) = flights.enter(7, arrival) else { panic!("nobody flies yet") };
        drop(flight);
        assert_eq!(own.wait().await, None);
        assert!(matches!(flights.enter(7, arrival), Turn::Fly(..)));
    }

    #[tokio::test]
    async fn flights_for_different_keys_have_nothing_to_do_with_each_other() {
        let flights = Flights::<()>::new();
        let Turn::Fly(_one, _) = flights.enter(1, flights.arrive()) else { panic!("nobody flies yet") };
        assert!(matches!(flights.enter(2, flights.arrive()), Turn::Fly(..)));
    }
}
